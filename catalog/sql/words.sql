-- The words of one kind with their numbers. Reads the table, which is small.
select text, number from word where kind = $1::text::"char"
