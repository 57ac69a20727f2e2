-- Makes another revision of all items. Whoever does it holds the lock of those who fold counts.
update item_revision set n = n + 1
