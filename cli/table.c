/* table - rows of cells for people and for programs. */
#include "config.h"

#include <stdlib.h>
#include <unistd.h>

#include "cli/table.h"
#include "lib/base/poison.h"

#define COLOUR_END "\033[0m"

void table_init(struct table *t, struct arena *arena, const char *const *heads)
{
	*t = (struct table){ .arena = arena, .heads = heads };
	while (heads[t->columns] != NULL && t->columns < TABLE_COLUMNS_MAX)
		t->columns++;
}

struct str *table_row(struct table *t)
{
	if (t->rows == t->room) {
		size_t room = t->room > 0 ? 2 * t->room : 64;
		struct str *more = arena_array(t->arena, room * t->columns, sizeof(*more));

		if (t->rows > 0)
			memcpy(more, t->cells, t->rows * t->columns * sizeof(*more));
		t->cells = more;
		t->room = room;
	}
	return &t->cells[t->rows++ * t->columns];
}

struct table_look table_look(void)
{
	const char *none = getenv("NO_COLOR"), *term = getenv("TERM");
	bool people = isatty(STDOUT_FILENO) == 1;

	return (struct table_look){
		.people = people,
		.colours = people && (none == NULL || *none == '\0') && term != NULL &&
		           strcmp(term, "dumb") != 0,
	};
}

/* C0, DEL and C1 (RFC 3629 carries C1 as two bytes); a stray byte is shown as one sign too. */
static bool is_control(uint32_t c)
{
	return c < 0x20 || (c >= 0x7f && c < 0xa0);
}

/* So do the signs that turn the reading direction: a cell could change its neighbour's looks. */
static bool is_direction(uint32_t c)
{
	return (c >= 0x202a && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069);
}

void table_text(struct str s, struct table_look look, FILE *to)
{
	while (s.len > 0) {
		const char *at = s.p;
		uint32_t c = str_utf8_next(&s);

		if (c == '\t' || c == '\n' || c == '\r')
			fputc(' ', to);
		else if (is_control(c) || (look.people && is_direction(c)))
			fputc('?', to);
		else if (c == 0xfffd && s.p - at == 1)
			fputs("\xef\xbf\xbd", to);
		else
			fwrite(at, 1, (size_t)(s.p - at), to);
	}
}

/* Of what table_text makes of it. */
static size_t width_of(struct str s)
{
	size_t n = 0;

	for (; s.len > 0; n++)
		(void)str_utf8_next(&s);
	return n;
}

static void cell_print(struct str cell, size_t width, struct table_look look, FILE *to)
{
	const char *colour = look.colours ? words_colour(cell) : "";
	size_t n = width_of(cell);

	fputs(colour, to);
	table_text(cell, look, to);
	if (*colour != '\0')
		fputs(COLOUR_END, to);
	for (; n < width; n++)
		fputc(' ', to);
}

static void row_print(const struct table *t, const struct str *cells, const size_t *widths,
                      struct table_look look, FILE *to)
{
	for (size_t c = 0; c < t->columns; c++) {
		bool last = c + 1 == t->columns;

		cell_print(cells[c], last ? 0 : widths[c], look, to);
		fputs(last ? "\n" : look.people ? "  " : "\t", to);
	}
}

void table_print(const struct table *t, struct table_look look, FILE *to)
{
	size_t widths[TABLE_COLUMNS_MAX] = { 0 };
	struct str heads[TABLE_COLUMNS_MAX];

	for (size_t c = 0; c < t->columns; c++) {
		heads[c] = str_of(t->heads[c]);
		widths[c] = look.people ? width_of(heads[c]) : 0;
		for (size_t r = 0; look.people && r < t->rows; r++) {
			size_t n = width_of(t->cells[r * t->columns + c]);

			widths[c] = n > widths[c] ? n : widths[c];
		}
	}
	if (look.people && heads[0].len > 0)
		row_print(t, heads, widths, (struct table_look){ .people = true }, to);
	for (size_t r = 0; r < t->rows; r++)
		row_print(t, &t->cells[r * t->columns], widths, look, to);
}
