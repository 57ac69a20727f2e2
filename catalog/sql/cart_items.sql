-- Items of a cart ($1) behind a place ($2), at most so many ($3), without those of hidden collections ($4). Uses cart_item_at.
select collection, item, at from cart_item where cart = $1 and at > $2 and collection <> all ($4::text[]) order by at limit $3
