-- Items of a collection on each tile, from one moment to another, the last excluded; of no tile under the empty text. Uses item_walk alone.
select coalesce((select w.text from word w where w.kind = 'g' and w.number = g.grid), ''), sum(g.n)::bigint
from (select grid, count(*) as n from item where col = @col and dt >= @first and dt < @last group by grid) g
group by 1
