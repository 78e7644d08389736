"""The fields of a conversation that chatferry reads, as GraphQL fragments.

None is relied upon: :mod:`chatferry.iadvize.fitting` leaves out what a platform's schema
does not offer. The names are those of the iAdvize docs, "GraphQL API", and of public clients; where
a type's fields are undocumented (tags, closing form, conversions) the likely ones are listed.
"""

from __future__ import annotations

WANTED = """
fragment Conversation on Conversation {
  id
  createdAt
  closedAt
  channel
  duration
  language { code name isoCode }
  project { id name }
  visitor {
    visitorId source externalUserId externalId firstName lastName email phoneNumber
    address city zipCode country username updatedAt
  }
  tags { id name label title value }
  satisfactionSurvey { customerSatisfaction netPromoterScore satisfactionComment comment }
  closingFormValues {
    __typename key id name label value values stringValue intValue floatValue booleanValue
  }
  conversions {
    transactions { ...Transaction }
    items { ...Transaction }
    nodes { ...Transaction }
    edges { node { ...Transaction } }
    ...Transaction
  }
  customData { ...Entries customData { ...Entries } }
  messages(first: 100) { ...Messages }
}

fragment Transaction on Transaction {
  id externalConversionId amount currency eventDate createdAt
}

fragment Messages on ConversationMessageConnection {
  pageInfo { endCursor hasNextPage }
  edges {
    node {
      __typename
      ... on ParticipantConversationMessage {
        messageId
        text
        createdAt
        author { ...Person }
        sentAs { ...Person }
        attachments { ...Attachment }
      }
      ... on SystemMessage {
        systemMessageId
        createdAt
        attachments {
          __typename
          ... on ConversationPushedSystemAttachment { toUser { ...Person } }
          ... on AutomaticMessageSentSystemAttachment { text participant { ...Person } }
          ... on OutboundMessageSentSystemAttachment { text }
          ... on ResumeMessageSentSystemAttachment { text }
        }
      }
    }
  }
}

fragment Person on ConversationParticipant {
  __typename
  ... on User { id firstName lastName userName }
  ... on Bot { id firstName lastName userName name }
  ... on Expert { id firstName lastName userName }
  ... on IbbuManager { id firstName lastName userName }
  ... on Developer { id firstName lastName userName }
  ... on Professional { id firstName lastName userName }
  ... on ThirdPartyAccount { id name userName }
  ... on Visitor { visitorId }
}

fragment Attachment on ConversationMessageAttachment {
  __typename
  ... on QuickReplyMenuAttachment { message choices }
  ... on FileAttachment { ...File }
  ... on ImageAttachment { ...File }
  ... on VideoAttachment { ...File }
  ... on FileBundleAttachment { attachments { ...File } }
  ... on LinkAttachment { url title description }
  ... on CardAttachment { ...Card }
  ... on CardBundleAttachment { cards { ...Card } }
  ... on OfferAttachment { title description url }
  ... on ProductAttachment { ...Product }
  ... on ProductOfferAttachment { ...Product }
  ... on ProductOfferBundleAttachment { productOffers { ...Product } }
  ... on ListPickerAttachment { title message items { title } }
  ... on ListPickerResponseAttachment { title text items { title } }
  ... on TimePickerAttachment { title message }
  ... on TimePickerResponseAttachment { title text }
}

fragment File on FileAttachment { __typename url fileName mimeType description }

fragment Card on CardAttachment {
  title
  text
  description
  image { url description }
  video { url description }
  actions { url title }
}

fragment Product on ProductAttachment {
  title
  description
  priceText
  promotionPriceText
  offerPriceText
  isAvailable
  productUrl
  image { url description }
  actions { url title }
}

fragment CustomData on VisitorConversationCustomData { customData { ...Entries } }

fragment Entries on VisitorConversationCustomDataEntry {
  __typename key label value stringValue intValue floatValue booleanValue
}

fragment Closed on ConversationConnection {
  pageInfo { endCursor hasNextPage }
  edges { node { id closedAt channel project { id } users { id } } }
}
"""
"""Fragments are templates: one is applied wherever it is spread, whatever type is found there."""

ESSENTIAL = frozenset(
    {
        "Query.conversation",
        "Conversation.id",
        "Conversation.closedAt",
        "Conversation.visitor",
        "Conversation.messages",
        "ParticipantConversationMessage.text",
        "ParticipantConversationMessage.author",
        "ParticipantConversationMessage.createdAt",
    }
)
"""Without these a lead is of little use; a check reports them as errors."""
REPORTED = frozenset({"Query", "Conversation", "Visitor", "ParticipantConversationMessage", "SystemMessage"})
"""The types whose missing fields are reported; the field names of other types are guesses."""
GUESSED = frozenset({"Conversation.customData"})
"""Asked for only where the documented query is missing."""
