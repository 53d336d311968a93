-- Mails that were dealt with, in the order in which they are forgotten: without it each round reads all that there ever were.
CREATE INDEX outbox_done ON outbox (created_at) WHERE sent_at IS NOT NULL OR failed_at IS NOT NULL;
