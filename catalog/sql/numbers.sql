-- The numbers of words. Uses word_kind_text_key.
select w.kind::text, w.text, w.number
from unnest($1::text[], $2::text[]) as asked(k, t)
join word w on w.kind = asked.k::"char" and w.text = asked.t
