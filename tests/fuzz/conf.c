/* A file of settings: it is refused with its place, or each setting is there as it was read. */
#include "config.h"

#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "lib/base/conf.h"
#include "tests/fuzz/fuzz.h"

#include "lib/base/poison.h"

static void look(void *conf, const char *key, const char *value)
{
	/* the newest of a name wins, and the environment before all */
	must(key[0] && value && conf_get(conf, key, NULL));
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	char path[64];
	int fd = memfd_create("conf", MFD_CLOEXEC);
	struct conf *conf = NULL;
	struct err e = { 0 };
	int64_t n = 0;

	must(fd >= 0 && write(fd, bytes, len) == (ssize_t)len);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if (conf_load(path, &conf, &e)) {
		conf_each(conf, "", look, conf);
		(void)conf_flag(conf, "A", false);
		if (conf_int(conf, "A", 5, 0, 10, &n, &e))
			must(n >= 0 && n <= 10);
		conf_free(conf);
	} else
		must(e.slug[0] && e.msg[0]);
	close(fd);
	return 0;
}
