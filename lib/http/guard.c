#include "config.h"

#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>

#include "lib/http/address.h"
#include "lib/http/guard.h"
#include "lib/http/url.h"

#include "lib/base/poison.h"

#define RULES_MAX 256
#define HOST_MAX  253
#define LABEL_MAX 63

struct guard {
	bool http_allowed;
	char *origin; /* a URL: its origin alone, at whatever address; NULL: the rules below */
	struct address_range *allow, *deny; /* an allow rule has a port, a deny rule has none */
	size_t allow_count, deny_count;
};

static const uint16_t ports[] = { 80, 443, 8080, 8443 };

/* Names that mean this machine, this house or an overlay, whatever a resolver says. */
static const char *const inner_names[] = { "localhost", "local", "internal", "home.arpa", "onion" };

/* --- making --- */

static bool bad_rule(struct err *e, const char *key, struct str rule, const char *form)
{
	return err_set(e, ERR_INPUT, "egress_rule_unreadable",
	               "%s holds \"%.*s\". Write %s, separated by commas, with no bit set past the "
	               "prefix.",
	               key, (int)(rule.len > 60 ? 60 : rule.len), rule.p, form);
}

static bool allow_parse(struct str text, struct address_range *out)
{
	size_t at = text.len;
	int64_t port;

	/* The port stands after the prefix, so the last colon is its own even for IPv6. */
	while (at > 0 && text.p[at - 1] != ':' && text.p[at - 1] != '/')
		at--;
	if (at == 0 || text.p[at - 1] != ':' ||
	    !address_range_parse((struct str){ text.p, at - 1 }, out) ||
	    !str_int(str_after(text, at), 1, 65535, &port))
		return false;
	out->net.port = (uint16_t)port;
	return true;
}

struct rules {
	const char *key, *form;
	bool (*parse)(struct str, struct address_range *);
};

static const struct rules allow_rules = { "EGRESS_ALLOW", "ADDRESS/BITS:PORT", allow_parse };
static const struct rules deny_rules = { "EGRESS_DENY", "ADDRESS/BITS", address_range_parse };

static bool rules_parse(const struct rules *kind, struct str text, struct address_range **out,
                        size_t *count, struct err *e)
{
	struct str rule;

	*out = calloc(RULES_MAX, sizeof(**out));
	if (*out == NULL)
		return err_set(e, ERR_UNAVAILABLE, "out_of_memory", "There is no memory left.");
	while (text.len > 0) {
		if (!str_cut(text, ',', &rule, &text)) {
			rule = text;
			text.len = 0;
		}
		rule = str_trim(rule);
		if (rule.len == 0)
			continue;
		if (*count == RULES_MAX || !kind->parse(rule, &(*out)[*count]))
			return bad_rule(e, kind->key, rule, kind->form);
		(*count)++;
	}
	return true;
}

static bool guard_make(const char *allow, const char *deny, bool http_allowed, struct guard **out,
                       struct err *e)
{
	struct guard *g = calloc(1, sizeof(*g));

	if (g == NULL)
		return err_set(e, ERR_UNAVAILABLE, "out_of_memory", "There is no memory left.");
	g->http_allowed = http_allowed;
	if (!rules_parse(&allow_rules, str_of(allow), &g->allow, &g->allow_count, e) ||
	    !rules_parse(&deny_rules, str_of(deny), &g->deny, &g->deny_count, e)) {
		guard_free(g);
		return false;
	}
	*out = g;
	return true;
}

bool guard_new(const char *allow, bool http_allowed, struct guard **out, struct err *e)
{
	return guard_make(allow, NULL, http_allowed, out, e);
}

bool guard_from_conf(const struct conf *c, struct guard **out, struct err *e)
{
	return guard_make(conf_get(c, "EGRESS_ALLOW", NULL), conf_get(c, "EGRESS_DENY", NULL),
	                  conf_flag(c, "EGRESS_HTTP", false), out, e);
}

bool guard_new_origin(const char *url, struct guard **out, struct err *e)
{
	struct url_parts u;
	const char *why;
	struct guard *g;

	if (!url_split(str_of(url), &u, &why)) {
		(void)err_set(e, ERR_INPUT, "url_unreadable",
		              "The address %.100s cannot be used; write one like "
		              "https://catchment.example.com.",
		              url);
		return err_detail(e, "%s", why);
	}
	if (!guard_make(NULL, NULL, true, &g, e))
		return false;
	g->origin = strdup(url);
	if (g->origin == NULL) {
		guard_free(g);
		return err_set(e, ERR_UNAVAILABLE, "out_of_memory", "There is no memory left.");
	}
	*out = g;
	return true;
}

void guard_free(struct guard *g)
{
	if (g == NULL)
		return;
	free(g->origin);
	free(g->allow);
	free(g->deny);
	free(g);
}

/* --- addresses --- */

static bool allowed_by_operator(const struct guard *g, const struct address *a)
{
	for (size_t i = 0; i < g->allow_count; i++)
		if (g->allow[i].net.port == a->port && address_in(a, &g->allow[i]))
			return true;
	return false;
}

static bool port_is_ordinary(uint16_t port)
{
	for (size_t i = 0; i < sizeof(ports) / sizeof(*ports); i++)
		if (ports[i] == port)
			return true;
	return false;
}

static bool origin_has_port(const struct guard *g, uint16_t port)
{
	struct url_parts u;
	const char *why;

	return url_split(str_of(g->origin), &u, &why) && u.port == port;
}

static const char *denied_by(const struct guard *g, const struct address *a)
{
	if (g->origin != NULL)
		return origin_has_port(g, a->port) ? NULL : "port";
	if (allowed_by_operator(g, a))
		return NULL;
	if (!port_is_ordinary(a->port))
		return "port";
	for (size_t i = 0; i < g->deny_count; i++)
		if (address_in(a, &g->deny[i]))
			return "EGRESS_DENY";
	return address_denied_by(a);
}

bool guard_address(const struct guard *g, const struct sockaddr *sa, const char **rule)
{
	struct address a;

	*rule = address_from_sockaddr(sa, &a) ? denied_by(g, &a) : "not an internet address";
	return *rule == NULL;
}

/* --- the text of a URL --- */

static bool label_is_number(struct str label)
{
	size_t digits = 0;

	if (label.len >= 2 && label.p[0] == '0' && (label.p[1] | 0x20) == 'x')
		return true;
	while (digits < label.len && label.p[digits] >= '0' && label.p[digits] <= '9')
		digits++;
	return digits == label.len;
}

static bool name_is_inner(struct str host)
{
	for (size_t i = 0; i < sizeof(inner_names) / sizeof(*inner_names); i++) {
		size_t n = strlen(inner_names[i]);
		struct str tail = str_after(host, host.len > n ? host.len - n : 0);

		if (str_eq_nocase(tail, inner_names[i]) &&
		    (host.len == n || host.p[host.len - n - 1] == '.'))
			return true;
	}
	return false;
}

/* NULL: a public-looking name. Sets *numeric when a resolver might read the host as a number. */
static const char *name_judge(struct str host, bool *numeric)
{
	struct str label = { "", 0 }, rest = host;
	bool more = true;
	int labels = 0;

	if (host.len > HOST_MAX)
		return "a host of more than 253 bytes";
	for (; more; labels++) {
		more = str_cut(rest, '.', &label, &rest);
		if (!more)
			label = rest;
		if (label.len == 0)
			return "an empty label";
		if (label.len > LABEL_MAX)
			return "a label of more than 63 bytes";
		if (label.p[0] == '-' || label.p[label.len - 1] == '-')
			return "a label that begins or ends with a hyphen";
	}
	*numeric = label_is_number(label);
	if (labels == 1)
		return *numeric ? "a number as host" : "a name without a dot";
	return name_is_inner(host) ? "a name for inner use" : NULL;
}

static bool port_known(const struct guard *g, uint16_t port)
{
	for (size_t i = 0; i < g->allow_count; i++)
		if (g->allow[i].net.port == port)
			return true;
	return port_is_ordinary(port);
}

static bool refused(struct err *e, struct str host, const char *why)
{
	(void)err_set(e, ERR_INPUT, "target_not_allowed",
	              "This address is not allowed. Use a public https address.");
	return err_detail(e, "%.*s: %s", (int)(host.len > 253 ? 253 : host.len), host.p, why);
}

static bool scheme_refused(struct err *e)
{
	return err_set(e, ERR_INPUT, "scheme_not_allowed",
	               "Only https addresses are allowed. Write https:// in front.");
}

bool guard_url(const struct guard *g, struct str url, struct err *e)
{
	struct url_parts u;
	struct address a;
	const char *why;
	bool numeric = false, by_operator = false;

	if (g->origin != NULL)
		return guard_same_origin(str_of(g->origin), url) ||
		       refused(e, url_split(url, &u, &why) ? u.host : STR("?"), "origin");
	if (!url_split(url, &u, &why))
		return strcmp(why, "scheme") == 0 ? scheme_refused(e) : refused(e, u.host, why);
	why = name_judge(u.host, &numeric);
	if (why != NULL)
		return refused(e, u.host, why);
	if (numeric) {
		if (!address_parse(u.host, &a))
			return refused(e, u.host, "a number that is no canonical dotted quad");
		a.port = u.port;
		why = denied_by(g, &a);
		if (why != NULL)
			return refused(e, u.host, why);
		by_operator = allowed_by_operator(g, &a);
	} else if (!port_known(g, u.port)) {
		return refused(e, u.host, "port");
	}
	if (!u.https && !g->http_allowed && !by_operator)
		return scheme_refused(e);
	return true;
}
