-- How many rows match, up to the limit.
select count(*) from ({{candidates}}) s
