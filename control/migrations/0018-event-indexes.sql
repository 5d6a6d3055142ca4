-- The record is asked by actor, by kind and by time, beside by run.

-- The actor's name as it is in the text, escapes and all. The text is canonical: `name` is the last key of `actor`, and `actor` the
-- first of all; between quotes every quote is escaped, so the two separators can't be part of a value. An index must not fail for
-- anything that the table accepts, or the record could not be written: json's operators fail for \u0000.
CREATE FUNCTION steadyhand.actor_of(text text) RETURNS text LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN left(split_part(split_part(text, '"},"data":', 1), '"name":"', 2), 300);

CREATE INDEX events_of_actor ON steadyhand.events (steadyhand.actor_of(text), seq);
-- With the time in them, pages of a kind or of everything from a time on are found without a look at the rows before it.
CREATE INDEX events_of_kind ON steadyhand.events (kind, seq) INCLUDE (at);
CREATE INDEX events_in_order ON steadyhand.events (seq) INCLUDE (at);
CREATE INDEX events_by_time ON steadyhand.events (at);
