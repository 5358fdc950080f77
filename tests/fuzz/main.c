/*
 * Runs a fuzz target over its corpus, then over mutations of it: always the same ones, so that what
 * fails here fails everywhere. libFuzzer brings a main of its own, which is then linked instead.
 *
 *   tests/fuzz/scan.tap [FILE ...]      these files alone, to see a finding again
 *
 * FUZZ_RUNS (2000), FUZZ_SECONDS (0: no limit; else as many runs as fit), FUZZ_SEED (1) and FUZZ_CORPUS
 * (top_srcdir/tests/fuzz/corpus) are variables. An input that ends the process is left in the file
 * fuzz-finding-TARGET of the working folder.
 */
#include "config.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "tests/fuzz/fuzz.h"

#include "lib/base/poison.h"

#define INPUT_MAX 4096
#define SEEDS_MAX 512

struct input {
	size_t len;
	uint8_t bytes[INPUT_MAX];
};

static struct input *seeds[SEEDS_MAX], current;
static size_t seed_count;
static uint64_t state;
static char finding[256];

/* Of the sanitizers, when they are linked. */
void __sanitizer_set_death_callback(void (*)(void)) __attribute__((weak));

static void keep_finding(void)
{
	int fd = open(finding, O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0644);

	if (fd >= 0) {
		(void)!write(fd, current.bytes, current.len);
		close(fd);
	}
}

static void on_signal(int number)
{
	keep_finding();
	signal(number, SIG_DFL);
	raise(number);
}

/* xorshift64*: Marsaglia 2003, Vigna 2016 */
static size_t below(size_t n)
{
	state ^= state >> 12;
	state ^= state << 25;
	state ^= state >> 27;
	return n ? (size_t)((state * UINT64_C(0x2545F4914F6CDD1D)) >> 32) % n : 0;
}

static void run(const struct input *in)
{
	/* Memory of just its size, so that a sanitizer sees the first byte too many. */
	uint8_t *bytes = malloc(in->len ? in->len : 1);

	if (!bytes)
		abort();
	memcpy(bytes, in->bytes, in->len);
	if (in != &current)
		current = *in;
	LLVMFuzzerTestOneInput(bytes, in->len);
	free(bytes);
}

/* Changes of one place. */

static void put(struct input *in, size_t at, const uint8_t *bytes, size_t len)
{
	if (len > INPUT_MAX - in->len)
		len = INPUT_MAX - in->len;
	memmove(in->bytes + at + len, in->bytes + at, in->len - at);
	memcpy(in->bytes + at, bytes, len);
	in->len += len;
}

static void flip(struct input *in)
{
	if (in->len)
		in->bytes[below(in->len)] ^= (uint8_t)(1U << below(8));
}

static void odd_byte(struct input *in)
{
	static const uint8_t odd[] =
		"\0\1\t\n\r \"#%&'()*+,-./0189:;<=>?@AZ[\\]^_`az{|}~\x7f\x80\xbf"
		"\xc0\xc2\xe0\xed\xef\xf0\xf4\xff";
	size_t n = sizeof(odd) - 1;

	if (in->len && below(2))
		in->bytes[below(in->len)] = odd[below(n)];
	else
		put(in, below(in->len + 1), odd + below(n), 1);
}

static void cut(struct input *in)
{
	size_t at = below(in->len), len = 1 + below(below(2) ? 4 : in->len);

	if (len > in->len - at)
		len = in->len - at;
	memmove(in->bytes + at, in->bytes + at + len, in->len - at - len);
	in->len -= len;
}

static void end_early(struct input *in)
{
	in->len = below(in->len + 1);
}

/* A piece of this input or of another goes in, once or often. */
static void paste(struct input *in)
{
	static struct input from;
	size_t start, len, at, times;

	from = below(2) ? *in : *seeds[below(seed_count)];
	start = below(from.len);
	len = 1 + below(below(3) ? 16 : from.len);
	at = below(in->len + 1);
	times = below(8) ? 1 : 1 + below(100);

	if (from.len == 0)
		return;
	if (len > from.len - start)
		len = from.len - start;
	while (times--)
		put(in, at, from.bytes + start, len);
}

static void number(struct input *in)
{
	static const char *const numbers[] = {
		"0",
		"-1",
		"-0",
		"255",
		"256",
		"65536",
		"2147483648",
		"4294967296",
		"9007199254740993",
		"9223372036854775807",
		"9223372036854775808",
		"-9223372036854775808",
		"18446744073709551616",
		"1e999",
		"1e-999",
		"0.1",
	};
	const char *text = numbers[below(sizeof(numbers) / sizeof(*numbers))];

	put(in, below(in->len + 1), (const uint8_t *)text, strlen(text));
}

static void mutate(void)
{
	static void (*const changes[])(struct input *) = { flip,      odd_byte, odd_byte, cut,
		                                           end_early, paste,    paste,    number };

	current = *seeds[below(seed_count)];
	for (size_t n = 1 + below(below(2) ? 2 : 8); n > 0; n--)
		changes[below(sizeof(changes) / sizeof(*changes))](&current);
}

/* Corpora. */

static bool seed_add(const char *path)
{
	FILE *f = fopen(path, "rb");
	struct input *in = calloc(1, sizeof(*in));

	if (!f || !in || seed_count == SEEDS_MAX) {
		if (f)
			fclose(f);
		free(in);
		return false;
	}
	in->len = fread(in->bytes, 1, INPUT_MAX, f);
	fclose(f);
	seeds[seed_count++] = in;
	return true;
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static int visible(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

static void corpus_add(const char *target)
{
	const char *corpus = getenv("FUZZ_CORPUS"), *top = getenv("top_srcdir");
	char folder[512], path[1024];
	struct dirent **names;
	int n;

	snprintf(folder, sizeof(folder), "%s%s/%s",
	         corpus ? corpus
	         : top  ? top
	                : ".",
	         corpus ? "" : "/tests/fuzz/corpus", target);
	n = scandir(folder, &names, visible, by_name);
	for (int i = 0; i < n; i++) {
		snprintf(path, sizeof(path), "%s/%s", folder, names[i]->d_name);
		(void)seed_add(path);
		free(names[i]);
	}
	if (n >= 0)
		free(names);
}

static long setting(const char *name, long fallback)
{
	const char *text = getenv(name);

	return text && *text ? strtol(text, NULL, 10) : fallback;
}

static void mutations_run(const char *target)
{
	long runs = setting("FUZZ_RUNS", 2000), seconds = setting("FUZZ_SECONDS", 0), n = 0;
	time_t end = time(NULL) + seconds;

	while (seconds ? time(NULL) < end : n < runs) {
		mutate();
		run(&current);
		n++;
	}
	printf("ok 2 - %s: nothing breaks over %ld mutations\n", target, n);
}

static void watch(const char *target)
{
	snprintf(finding, sizeof(finding), "fuzz-finding-%s", target);
	if (__sanitizer_set_death_callback)
		__sanitizer_set_death_callback(keep_finding);
	else
		signal(SIGSEGV, on_signal);
	signal(SIGABRT, on_signal);
}

int main(int argc, char **argv)
{
	static char target[100];
	const char *slash = strrchr(argv[0], '/');

	snprintf(target, sizeof(target), "%s", slash ? slash + 1 : argv[0]);
	target[strcspn(target, ".")] = '\0';
	state = (uint64_t)setting("FUZZ_SEED", 1) * UINT64_C(0x9E3779B97F4A7C15);
	watch(target);
	for (int i = 1; i < argc; i++)
		if (!seed_add(argv[i]))
			fprintf(stderr, "%s cannot be read\n", argv[i]);
	if (argc == 1)
		corpus_add(target);
	printf("1..%d\n", argc == 1 ? 2 : 1);
	for (size_t i = 0; i < seed_count; i++)
		run(seeds[i]);
	printf("%sok 1 - %s: nothing breaks over the corpus of %zu\n", seed_count ? "" : "not ",
	       target, seed_count);
	fflush(stdout);
	if (argc == 1 && seed_count)
		mutations_run(target);
	for (size_t i = 0; i < seed_count; i++)
		free(seeds[i]);
	return seed_count ? 0 : 1;
}
