/*
 * Who plays, and which call fails. What can fail is in wraps.c; Jansson's allocations come through its own hook.
 *
 *   TORTURE_CALLS (60): so many calls of each scene fail, spread over the places in the code that they
 *   are made from; 0: every call. TORTURE_SCENE: this scene alone.
 */
#include "config.h"

#include <execinfo.h>
#include <jansson.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/base/log.h"
#include "tests/torture/torture.h"

#include "lib/base/poison.h"

#define CALLS_MAX   100000
#define SECONDS_MAX 20 /* then it hangs, which is a crash */
#define FRAMES      6  /* callers that tell one place from another */

enum outcome { WHOLE = 0, TOLD = 10, SILENT = 11, LEAKED = 12, CRASHED };

static struct {
	size_t calls;
	uint64_t place[CALLS_MAX];
} * counted; /* shared with the children */

static bool armed, counting;
static size_t fail_at; /* from 1; 0: none */

/* Of the sanitizers, when they are linked. */
int __lsan_do_recoverable_leak_check(void) __attribute__((weak));
const char *__asan_default_options(void);

const char *__asan_default_options(void)
{
	return "leak_check_at_exit=0:exitcode=99:allocator_may_return_null=1";
}

static uint64_t place_of_caller(void)
{
	void *frames[FRAMES + 2];
	int n = backtrace(frames, FRAMES + 2);
	uint64_t hash = UINT64_C(1469598103934665603); /* FNV-1a */

	for (int i = 2; i < n; i++)
		hash = (hash ^ (uint64_t)(uintptr_t)frames[i]) * UINT64_C(1099511628211);
	return hash;
}

bool torture_fails(void)
{
	size_t n;

	if (!armed)
		return false;
	n = ++counted->calls;
	if (counting && n <= CALLS_MAX) {
		armed = false; /* what backtrace allocates is not the product's */
		counted->place[n - 1] = place_of_caller();
		armed = true;
	}
	return n == fail_at;
}

void torture_arm(bool on)
{
	armed = on;
}

static void *json_give(size_t n)
{
	return malloc(n); /* led to wraps.c, as all our calls are */
}

/* One play of a scene in a process of its own. */

static enum outcome play(const struct torture_scene *scene, struct err *e)
{
	bool whole;

	armed = true;
	whole = scene->play(e);
	armed = false;
	if (__lsan_do_recoverable_leak_check && __lsan_do_recoverable_leak_check())
		return LEAKED;
	if (whole)
		return WHOLE;
	return e->slug[0] && e->msg[0] ? TOLD : SILENT;
}

/* One call of one scene, with its log. */
static int look(const struct torture_scene *scene)
{
	struct err e = { 0 };
	enum outcome outcome = play(scene, &e);

	printf("# outcome %d: %s: %s (%s)\n", outcome, e.slug, e.msg, e.detail);
	return (int)outcome;
}

static enum outcome play_apart(const struct torture_scene *scene, size_t n)
{
	struct err e = { 0 };
	int status;
	pid_t child = fork();

	if (child == 0) {
		alarm(SECONDS_MAX);
		fail_at = n;
		counting = n == 0;
		counted->calls = 0;
		_exit(play(scene, &e));
	}
	if (child < 0 || waitpid(child, &status, 0) != child || !WIFEXITED(status))
		return CRASHED;
	status = WEXITSTATUS(status);
	if (status == EXIT_FAILURE && scene->may_end)
		return TOLD; /* its log says why, and another process takes its place */
	/* anything else is a sanitizer, or the end of the process */
	return status == WHOLE || (status >= TOLD && status <= LEAKED) ? (enum outcome)status
	                                                               : CRASHED;
}

/* Is the nth of so many taken, when there is room for fewer? They are taken evenly. */
static bool spread(size_t nth, size_t all, size_t room)
{
	return all <= room || nth * room / all != (nth + 1) * room / all;
}

/* Which calls fail: of each place the first, then the second, until there are enough. */
static size_t choose(size_t *chosen, size_t total, size_t most, size_t *places)
{
	size_t *turn = calloc(total + 1, sizeof(*turn)), count = 0, greatest = 0;

	*places = 0;
	for (size_t i = 0; turn && i < total; i++) {
		for (size_t j = i; j-- > 0;)
			if (counted->place[j] == counted->place[i]) {
				turn[i] = turn[j] + 1;
				break;
			}
		*places += turn[i] == 0;
		greatest = turn[i] > greatest ? turn[i] : greatest;
	}
	for (size_t t = 0; turn && t <= greatest; t++) {
		size_t of_turn = 0, nth = 0, room = most ? most - count : total;

		for (size_t i = 0; i < total; i++)
			of_turn += turn[i] == t;
		for (size_t i = 0; i < total; i++)
			if (turn[i] == t && spread(nth++, of_turn, room))
				chosen[count++] = i + 1;
		if (most && count >= most)
			break;
	}
	free(turn);
	return count;
}

static bool torture(const struct torture_scene *scene, size_t most, int number)
{
	static const char *const words[] = {
		[SILENT] = "nobody is told", [LEAKED] = "memory leaks", [CRASHED] = "it crashes"
	};
	size_t *chosen, count, places, total, told = 0, findings = 0;

	if (play_apart(scene, 0) != WHOLE) {
		printf("not ok %d - %s: plays when nothing fails\n", number, scene->name);
		return false;
	}
	if (counted->calls == 0) {
		printf("not ok %d - %s: makes calls that can fail\n", number, scene->name);
		return false;
	}
	total = counted->calls;
	if (total > CALLS_MAX) {
		printf("not ok %d - %s: makes at most %d calls, not %zu\n", number, scene->name,
		       CALLS_MAX, total);
		return false;
	}
	chosen = calloc(total + 1, sizeof(*chosen));
	count = choose(chosen, total, most, &places);
	for (size_t i = 0; i < count; i++) {
		enum outcome outcome = play_apart(scene, chosen[i]);

		told += outcome == TOLD;
		if (outcome < SILENT)
			continue;
		findings++;
		printf("# %s: call %zu fails and %s\n", scene->name, chosen[i], words[outcome]);
	}
	free(chosen);
	printf("%sok %d - %s: %zu of %zu calls at %zu places failed, %zu told, %zu findings\n",
	       findings ? "not " : "", number, scene->name, count, total, places, told, findings);
	fflush(stdout);
	return findings == 0;
}

static const char *setting(const char *name, const char *fallback)
{
	const char *text = getenv(name);

	return text && *text ? text : fallback;
}

const char *torture_top(void)
{
	return setting("top_srcdir", ".");
}

/* The same again beside a private PostgreSQL. */
static int with_server(char **argv)
{
	char script[4096], sh[] = "sh", *words[6] = { sh, script };

	snprintf(script, sizeof(script), "%s/tests/pg.sh", torture_top());
	for (int i = 0; i < 3 && argv[i]; i++)
		words[i + 2] = argv[i];
	execv("/bin/sh", words);
	return 127;
}

int main(int argc, char **argv)
{
	size_t most = strtoul(setting("TORTURE_CALLS", "60"), NULL, 10), scenes = 0;
	const char *only = setting("TORTURE_SCENE", "");
	bool good = true;
	void *warm[2];

	if (torture_needs_server && !getenv("CATCHMENT_TEST_DB"))
		return with_server(argv);
	setvbuf(stdout, NULL, _IOLBF, 0);
	log_open("torture", argc > 2 ? LOG_DEBUG : LOG__MAX);
	(void)backtrace(warm, 2);
	counted = mmap(NULL, sizeof(*counted), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
	               -1, 0);
	if (counted == MAP_FAILED)
		abort();
	json_set_alloc_funcs(json_give, free);
	torture_prepare();
	for (const struct torture_scene *s = torture_scenes; s->name; s++) {
		if (argc > 1 && !*only) /* tests/torture/torture.tap SCENE CALL: to look at one */
			only = argv[1];
		if (*only && strcmp(only, s->name) != 0)
			continue;
		if (argc > 2) {
			fail_at = strtoul(argv[2], NULL, 10);
			return look(s);
		}
		good = torture(s, most, (int)++scenes) && good;
	}
	torture_end();
	printf("1..%zu\n", scenes);
	return good ? 0 : 1;
}
