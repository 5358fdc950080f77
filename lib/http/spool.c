#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "lib/http/spool.h"

#include "lib/base/poison.h"

#define FIRST_CAP (16u << 10)

struct budget *budget_new(void)
{
	struct budget *b = calloc(1, sizeof(*b));

	if (b != NULL)
		atomic_init(&b->users, 1);
	return b;
}

void budget_join(struct budget *b)
{
	atomic_fetch_add(&b->users, 1);
}

void budget_leave(struct budget *b)
{
	if (b != NULL && atomic_fetch_sub(&b->users, 1) == 1)
		free(b);
}

void spool_init(struct spool *s, struct budget *budget)
{
	*s = (struct spool){ .budget = budget, .fd = -1 };
}

void spool_reset(struct spool *s)
{
	struct budget *budget = s->budget;

	spool_free(s);
	spool_init(s, budget);
}

static void memory_drop(struct spool *s)
{
	atomic_fetch_sub(&s->budget->used, s->cap);
	free(s->memory);
	s->memory = NULL;
	s->cap = 0;
}

void spool_free(struct spool *s)
{
	if (s->map != NULL)
		munmap(s->map, s->len);
	if (s->fd >= 0)
		close(s->fd);
	memory_drop(s);
	s->map = NULL;
	s->fd = -1;
	s->len = 0;
}

static size_t cap_for(const struct spool *s, size_t len)
{
	size_t cap = s->cap > 0 ? s->cap : FIRST_CAP;

	while (cap < s->len + len)
		cap *= 2;
	return cap;
}

static bool stays_in_memory(const struct spool *s, size_t len)
{
	return s->fd < 0 && len <= SPOOL_MEMORY_MAX && s->len <= SPOOL_MEMORY_MAX - len;
}

size_t spool_cost(const struct spool *s, size_t len)
{
	return stays_in_memory(s, len) ? cap_for(s, len) - s->cap : 0;
}

static bool memory_add(struct spool *s, const void *bytes, size_t len)
{
	size_t cap = cap_for(s, len);

	if (cap > s->cap) {
		char *more = realloc(s->memory, cap);

		if (more == NULL)
			return false;
		atomic_fetch_add(&s->budget->used, cap - s->cap);
		s->memory = more;
		s->cap = cap;
	}
	memcpy(s->memory + s->len, bytes, len);
	s->len += len;
	return true;
}

static bool write_all(int fd, const char *p, size_t len)
{
	while (len > 0) {
		ssize_t n = write(fd, p, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		p += n;
		len -= (size_t)n;
	}
	return true;
}

/* O_TMPFILE has no name at any moment; where a file system lacks it, the name lives shortly. */
static int nameless_file(void)
{
	const char *folder = getenv("TMPDIR");
	char path[PATH_MAX];
	int fd;

	if (folder == NULL || folder[0] == '\0')
		folder = "/tmp";
	fd = open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	if (fd >= 0 || (errno != EOPNOTSUPP && errno != EISDIR && errno != ENOENT))
		return fd;
	if (snprintf(path, sizeof(path), "%s/catchment-XXXXXX", folder) >= (int)sizeof(path)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	fd = mkostemp(path, O_CLOEXEC);
	if (fd >= 0)
		(void)unlink(path);
	return fd;
}

bool spool_spill(struct spool *s)
{
	if (s->fd >= 0)
		return true;
	s->fd = nameless_file();
	if (s->fd < 0 || !write_all(s->fd, s->memory, s->len))
		return false;
	memory_drop(s);
	return true;
}

bool spool_add(struct spool *s, const void *bytes, size_t len)
{
	if (len == 0)
		return true;
	if (stays_in_memory(s, len))
		return memory_add(s, bytes, len);
	if (!spool_spill(s) || !write_all(s->fd, bytes, len))
		return false;
	s->len += len;
	return true;
}

bool spool_finish(struct spool *s)
{
	if (s->fd < 0 || s->map != NULL)
		return true;
	s->map = mmap(NULL, s->len, PROT_READ, MAP_PRIVATE, s->fd, 0);
	if (s->map == MAP_FAILED) {
		s->map = NULL;
		return false;
	}
	close(s->fd); /* the mapping keeps the file */
	s->fd = -1;
	return true;
}

struct str spool_view(const struct spool *s)
{
	if (s->map != NULL)
		return (struct str){ s->map, s->len };
	if (s->memory == NULL)
		return (struct str){ "", 0 };
	return (struct str){ s->memory, s->len };
}
