alter table orders add column state text not null default 'new';

create index orders_state on orders (state) where state <> 'archived';
