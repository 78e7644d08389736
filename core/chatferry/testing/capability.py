"""Capabilities of a connector, as its harness declares them: what is declared is tested."""

from __future__ import annotations

from enum import StrEnum


class Capability(StrEnum):
    """Something that a connector can do, or a situation that its CRM can cause.

    The text of each member says what declaring it promises; ``docs/test-a-plugin.md`` shows them.
    """

    INSTALLED = "its package is installed and names it in an entry point"
    CONTACTS = "it writes a record for the visitor"
    CONVERSATIONS = "it writes a record for the conversation"
    LINKS = "the conversation's record names the contact's"
    BATCH = "one call delivers several leads"
    UPDATE = "a lead delivered again replaces what was there"
    UPDATE_ONLY = "a lead that is update_only creates nothing"
    CLEAR = "a None empties the CRM's field"
    FILL_IF_EMPTY = "a value can be written only where the CRM has none"
    CREATE_ONLY = "a value can be written only when the record is made"
    ERASE = "records of earlier deliveries can be removed"
    AUTHENTICATION = "the CRM asks for credentials and can refuse them"
    RENEWAL = "access expires and is renewed by itself"
    RATE_LIMITS = "the CRM asks for a slower pace"
    QUOTA = "the CRM has a daily allowance"
    NETWORK = "a network lies between connector and CRM"
    FILES = "the records are files on a disk"
    PARTIAL_SUCCESS = "the CRM answers record by record"
    POISON = "one record can make the CRM refuse a whole request"
    REQUIRED_FIELDS = "the CRM refuses a record that lacks a field"
    PICKLISTS = "a field takes values of a list only"
    FIELD_LIMITS = "a field takes so many characters and no more"
    KEY_FIELD = "a mapping can write the field that holds the lead's key"
    UNKNOWN_FIELDS = "a mapping can name a field that the CRM does not have"
    DELETED = "a record can be deleted in the CRM meanwhile"
    ARCHIVED = "a record can be put out of sight in the CRM meanwhile, its key still taken"
    MERGED = "a record can be merged into another in the CRM meanwhile"
    CONVERTED = "a record can become read-only in the CRM meanwhile"
