"""freshmart: a real retail system, the one that Tenfold protects and rehearses. One app of seven modules.

catalog    what is sold: products, categories, and the real grocery data that they come from
pricing    what it costs, in which store, since when
inventory  what is on which shelf, in the real lane and in the shadow lane
media      what it looks like: pictures in the object store
cashier    money: secured before an order is placed, or collected later
features   what the shop can do without: recommendations, reviews, banners, order history, delivery slots
orders     what was bought: placing, idempotency, the outbox and its effects
web        the HTTP face: the hottest reads as plain ASGI, the rest with Litestar
settings   what the environment says
reads      a ladder for each kind of value; caches: the two clusters, kept warm and true
backends   the servers freshmart leans on: breakers, ladders, the order desk
postgres   how every program talks to PostgreSQL: sessions, pools
serve      runs an ASGI application in this process
migrate    brings the database to the schema of this build
api worker seed   what runs: `python -m freshmart.api`
payment    the sandbox of an acquirer: `python -m freshmart.payment`
mutants    builds that are wrong on purpose; nothing imports it
"""
