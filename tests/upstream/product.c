/* product - deterministic records; see product.h */
#include "config.h"

#include <inttypes.h>

#include "lib/base/clock.h"
#include "tests/upstream/product.h"
#include "lib/base/poison.h"

const char *const noun_names[NOUN__MAX] = {
	[NOUN_PRODUCTS] = "products",
	[NOUN_ORDERS] = "orders",
	[NOUN_CUSTOMERS] = "customers",
};

const char *const noun_single[NOUN__MAX] = {
	[NOUN_PRODUCTS] = "product",
	[NOUN_ORDERS] = "order",
	[NOUN_CUSTOMERS] = "customer",
};

static const int64_t id_base[NOUN__MAX] = {
	[NOUN_PRODUCTS] = INT64_C(7000000000000),
	[NOUN_ORDERS] = INT64_C(5000000000000),
	[NOUN_CUSTOMERS] = INT64_C(8000000000000),
};

#define PICK(table, h) table[(h) % (sizeof(table) / sizeof((table)[0]))]

static const char *const things[] = { "Wollmütze",     "Café Mug",    "Ångström Lamp",
	                              "Crème Candle",  "Rain Jacket", "Łódź Poster",
	                              "東京 Tote",     "Notebook",    "Piñata Kit",
	                              "Smörgås Board", "Desk Fan",    "Tea \\\"No. 7\\\"" };
static const char *const makers[] = { "Müller & Söhne", "Nørrebro Works", "Atelier Éclair",
	                              "Harbour Goods",  "O'Hare Supply",  "北方商店" };
static const char *const kinds[] = { "Hats", "Kitchen", "Lighting", "Home", "Outerwear", "Paper" };
static const char *const tags[] = { "new, winter", "sale", "gift, small", "bulk", "eco, local, €" };
static const char *const people[] = { "Zoë", "José", "Anna", "Łukasz", "Mia", "Søren", "陽子" };

/* splitmix64's finisher: neighbours get unrelated values. */
static uint64_t mix(uint64_t x)
{
	x += UINT64_C(0x9e3779b97f4a7c15);
	x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
	return x ^ (x >> 31);
}

static uint64_t salt(const struct item *i, unsigned which)
{
	return mix(mix(i->seed * 8 + i->noun) ^ (uint64_t)i->index ^ ((uint64_t)which << 48));
}

int64_t item_id(const struct item *i)
{
	return id_base[i->noun] + i->index * 1000 + (int64_t)(salt(i, 0) % 1000);
}

int64_t item_index_of(enum noun noun, uint64_t seed, int64_t id)
{
	struct item i = { .noun = noun, .seed = seed, .index = (id - id_base[noun]) / 1000 };

	return id >= id_base[noun] && item_id(&i) == id ? i.index : -1;
}

/* Half are open; the rest are closed or cancelled. */
const char *item_order_status(const struct item *i)
{
	static const char *const words[] = { "open", "closed", "open", "cancelled" };

	return words[i->index % 4];
}

static void render_times(const struct item *i, struct buf *b)
{
	char made[CLOCK_TEXT_MAX], changed[CLOCK_TEXT_MAX];

	buf_printf(b, "\"created_at\":\"%s\",\"updated_at\":\"%s\"",
	           clock_format(ITEM_EPOCH_MS + i->index * 60000, made),
	           clock_format(i->updated_ms, changed));
}

static void render_variants(const struct item *i, struct buf *b)
{
	static const char *const sizes[] = { "S", "M" };

	buf_text(b, "\"variants\":[");
	for (unsigned k = 0; k < 2; k++) {
		uint64_t h = salt(i, 3 + k);
		buf_printf(b,
		           "%s{\"id\":%" PRId64 ",\"product_id\":%" PRId64 ",\"title\":\"%s\","
		           "\"price\":\"%u.%02u\",\"sku\":\"SKU-%06" PRId64 "-%s\",\"position\":%u,"
		           "\"inventory_quantity\":%d,\"grams\":%u,\"barcode\":null}",
		           k ? "," : "", INT64_C(40000000000000) + i->index * 100 + k, item_id(i),
		           sizes[k], (unsigned)(h % 190 + 5), (unsigned)(h / 190 % 10) * 10,
		           i->index, sizes[k], k + 1, (int)(h / 2000 % 120) - 5,
		           (unsigned)(h / 300000 % 4000));
	}
	buf_text(b, "]");
}

static void render_product(const struct item *i, struct buf *b)
{
	uint64_t h = salt(i, 1);
	const char *thing = PICK(things, h);

	buf_printf(b, "{\"id\":%" PRId64 ",\"title\":\"%s %" PRId64 "%s\",", item_id(i), thing,
	           i->index, i->touched ? " (revised)" : "");
	buf_printf(b, "\"body_html\":\"<p>%s, lot %06u.<\\/p>\",\"vendor\":\"%s\",", thing,
	           (unsigned)(h / 7 % 1000000), PICK(makers, h / 11));
	buf_printf(b, "\"product_type\":\"%s\",\"handle\":\"item-%" PRId64 "\",",
	           PICK(kinds, h / 13), i->index);
	render_times(i, b);
	buf_printf(b, ",\"status\":\"active\",\"tags\":\"%s\",", PICK(tags, h / 17));
	render_variants(i, b);
	/* Past 2^53 and past a double's 17 digits: a reader that goes through doubles changes these. */
	buf_printf(b,
	           ",\"options\":[{\"name\":\"Size\",\"position\":1,\"values\":[\"S\",\"M\"]}],"
	           "\"admin_graphql_id\":\"gid://shop/Product/%" PRId64 "\",\"checksum\":%" PRIu64
	           ",\"rating\":%u.%018" PRIu64 "01}",
	           item_id(i), (UINT64_C(1) << 53) + 1 + (h & ~(UINT64_C(3) << 62)) / 2 * 2,
	           (unsigned)(h % 5), mix(h) % UINT64_C(1000000000000000000));
}

static void render_order(const struct item *i, struct buf *b)
{
	uint64_t h = salt(i, 1);
	struct item line = { .noun = NOUN_PRODUCTS, .seed = i->seed, .index = (int64_t)(h % 1250) };
	struct item who = { .noun = NOUN_CUSTOMERS, .seed = i->seed, .index = (int64_t)(h % 300) };
	unsigned cents = (unsigned)(h / 1250 % 50000) + 100, count = (unsigned)(h % 3) + 1;

	buf_printf(b, "{\"id\":%" PRId64 ",\"name\":\"#%" PRId64 "\",", item_id(i),
	           i->index + 1001);
	render_times(i, b);
	buf_printf(b,
	           ",\"status\":\"%s\",\"financial_status\":\"%s\",\"currency\":\"EUR\","
	           "\"total_price\":\"%u.%02u\",\"total_weight\":%u.%017u1,\"note\":%s,",
	           item_order_status(i), h % 7 ? "paid" : "refunded", cents * count / 100,
	           cents * count % 100, count, cents, i->touched ? "\"revised\"" : "null");
	buf_printf(b,
	           "\"customer\":{\"id\":%" PRId64 ",\"first_name\":\"%s\",\"email\":"
	           "\"customer%u@example.com\"},",
	           item_id(&who), PICK(people, salt(&who, 1)), (unsigned)(h % 300));
	buf_printf(b,
	           "\"line_items\":[{\"id\":%" PRId64 ",\"product_id\":%" PRId64
	           ",\"quantity\":%u,\"price\":\"%u.%02u\"}]}",
	           INT64_C(60000000000000) + i->index, item_id(&line), count, cents / 100,
	           cents % 100);
}

static void render_customer(const struct item *i, struct buf *b)
{
	uint64_t h = salt(i, 1);

	buf_printf(b, "{\"id\":%" PRId64 ",\"first_name\":\"%s\",\"last_name\":\"%s%s\",",
	           item_id(i), PICK(people, h), PICK(makers, h / 7),
	           i->touched ? " (revised)" : "");
	buf_printf(b, "\"email\":\"customer%" PRId64 "@example.com\",", i->index);
	render_times(i, b);
	buf_printf(b,
	           ",\"orders_count\":%u,\"verified_email\":%s,\"total_spent\":\"%u.%02u\","
	           "\"last_event\":%" PRIu64 "}",
	           (unsigned)(h % 40), h % 2 ? "true" : "false", (unsigned)(h / 40 % 9000),
	           (unsigned)(h / 360000 % 100), (UINT64_C(1) << 53) + 1 + h % (UINT64_C(1) << 61));
}

void item_render(const struct item *i, struct buf *b)
{
	static void (*const render[NOUN__MAX])(const struct item *, struct buf *) = {
		[NOUN_PRODUCTS] = render_product,
		[NOUN_ORDERS] = render_order,
		[NOUN_CUSTOMERS] = render_customer,
	};

	render[i->noun](i, b);
}
