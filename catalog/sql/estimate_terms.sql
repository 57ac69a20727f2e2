-- The share of rows that have each of the most frequent terms, as the last analysis of the table saw it. The last
-- three frequencies are the least, the most, and that of no terms.
select most_common_elems::text::int[], most_common_elem_freqs
from pg_stats where schemaname = current_schema() and tablename = 'item' and attname = 'ph' and most_common_elems is not null
