/* bare_product - see bare_product.h */
#include "config.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/bench/bare_product.h"
#include "lib/base/poison.h"

#define TEXTS    1000
#define PLACES   8
#define ID_FIRST INT64_C(7000000000000)
#define ID_TEXT  "7000000000000"
#define ID_LEN   (sizeof(ID_TEXT) - 1)
#define REVISED  "\"revision\":1"

/* A record, and where its id and its revision stand. */
static struct text {
	char bytes[PRODUCT_MAX];
	size_t len, ids[PLACES], id_count, revision;
} texts[TEXTS];

static const char *const things[] = { "Wollmütze",   "Café Mug", "Ångström Lamp", "Crème Candle",
	                              "Rain Jacket", "Notebook", "Desk Fan",      "東京 Tote" };
static const char *const makers[] = { "Müller & Söhne", "Nørrebro Works", "Harbour Goods",
	                              "O'Hare Supply" };
static const char *const kinds[] = { "Hats", "Kitchen", "Lighting", "Outerwear", "Paper" };

#define PICK(table, n) table[(n) % (sizeof(table) / sizeof((table)[0]))]

static int write_head(char *to, size_t room, unsigned n)
{
	return snprintf(to, room,
	                "{\"id\":" ID_TEXT
	                ",\"title\":\"%s No. %u\",\"body_html\":\"<p>%s of %s, lot %06u."
	                "<\\/p><p>Made in small numbers; colours may differ from what the picture "
	                "shows.<\\/p>\","
	                "\"vendor\":\"%s\",\"product_type\":\"%s\",\"handle\":\"item-" ID_TEXT "\","
	                "\"created_at\":\"2025-%02u-%02uT08:%02u:00Z\",\"updated_at\":\"2026-%02u-%"
	                "02uT17:%02u:30Z\","
	                "\"status\":\"active\"," REVISED ",\"tags\":\"new, winter, \\\"sale\\\"\",",
	                PICK(things, n), n, PICK(things, n), PICK(makers, n / 3),
	                n * 7919 % 1000000, PICK(makers, n / 3), PICK(kinds, n / 7), n % 12 + 1,
	                n % 28 + 1, n % 60, n / 5 % 12 + 1, n / 11 % 28 + 1, n / 13 % 60);
}

static int write_variant(char *to, size_t room, unsigned n, unsigned k)
{
	return snprintf(to, room,
	                "%s{\"id\":4%09u%03u,\"title\":\"%s\",\"price\":\"%u.%02u\",\"sku\":"
	                "\"SKU-%06u-%u\",\"position\":%u,\"inventory_quantity\":%u,\"grams\":%u,"
	                "\"barcode\":null}",
	                k ? "," : "\"variants\":[", n, k, k ? "M" : "S", n % 190 + 5, n % 100, n, k,
	                k + 1, n % 120, n * 31 % 4000);
}

/* Numbers that a reader going through doubles would change. */
static int write_tail(char *to, size_t room, unsigned n)
{
	return snprintf(to, room,
	                "],\"options\":[{\"name\":\"Size\",\"position\":1}],\"admin_id\":"
	                "\"gid://shop/Product/" ID_TEXT "\",\"checksum\":%" PRIu64
	                ",\"rating\":%u.%018u01}",
	                (UINT64_C(1) << 53) + 1 + n * UINT64_C(104729), n % 5, n * 7907);
}

static void places_find(struct text *t)
{
	const char *at = t->bytes;

	while ((at = strstr(at, ID_TEXT)) && t->id_count < PLACES) {
		t->ids[t->id_count++] = (size_t)(at - t->bytes);
		at += ID_LEN;
	}
	t->revision = (size_t)(strstr(t->bytes, REVISED) - t->bytes) + sizeof(REVISED) - 2;
}

void product_open(void)
{
	for (unsigned n = 0; n < TEXTS; n++) {
		struct text *t = &texts[n];

		t->len = (size_t)write_head(t->bytes, PRODUCT_MAX, n);
		for (unsigned k = 0; k < 2; k++)
			t->len += (size_t)write_variant(t->bytes + t->len, PRODUCT_MAX - t->len, n,
			                                k);
		t->len += (size_t)write_tail(t->bytes + t->len, PRODUCT_MAX - t->len, n);
		if (t->len >= PRODUCT_MAX)
			abort(); /* a text above is too long */
		places_find(t);
	}
}

size_t product_write(char *to, int64_t index, int revision)
{
	const struct text *t = &texts[index % TEXTS];
	char id[ID_LEN];
	int64_t left = ID_FIRST + index;

	for (size_t i = ID_LEN; i > 0; i--, left /= 10)
		id[i - 1] = (char)('0' + left % 10);
	memcpy(to, t->bytes, t->len);
	for (size_t i = 0; i < t->id_count; i++)
		memcpy(to + t->ids[i], id, ID_LEN);
	to[t->revision] = (char)('0' + revision);
	return t->len;
}
