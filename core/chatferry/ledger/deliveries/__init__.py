"""The deliveries: every transition of a delivery's state is written in this room, and nowhere else.

========== ========================= ============================================================
state      next                      written by
========== ========================= ============================================================
(none)     due, parked, skipped,     ``queueing``: what a sync decided for a destination
           dead
due        delivered, due, dead      ``attempts``: what became of a batch that was handed over
delivered  due                       ``queueing``: new content; ``stale_writes``: older content may
                                     have reached the CRM after newer
skipped    due, parked, dead         ``queueing``: the rules decide otherwise now
parked     due, skipped, dead        ``queueing``; ``operator_moves.revive``
dead       due, skipped, parked      ``queueing``: new content; ``operator_moves.revive``
due, dead, discarded                 ``operator_moves.discard``
parked
discarded  due                       ``operator_moves.revive``; ``queueing`` after ``reread``
any        discarded, for good       ``erasing``: its person was erased
========== ========================= ============================================================

``due`` has a ``due_at``; every other state has none. ``version`` grows with each content and with each
move that makes an attempt on its way void. Three shapes describe a delivery: :class:`~.states.Decided`
goes in, :class:`~.states.Delivery` comes out, :class:`~.states.AttemptResult` is what became of it.
"""
