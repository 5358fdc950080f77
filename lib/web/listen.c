#include "config.h"

#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "lib/web/listen.h"
#include "lib/base/poison.h"

/* Full means 502 at once for whoever comes next, so it is large; the kernel caps it (somaxconn). */
#define BACKLOG 1024

bool web_listen(const char *path, int *out, struct err *e)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	int fd = -1;

	if (strlen(path) >= sizeof(at.sun_path))
		return err_set(
			e, ERR_INPUT, "socket_path",
			"The socket path %s is longer than %zu bytes; choose a shorter folder.",
			path, sizeof(at.sun_path) - 1);
	memcpy(at.sun_path, path, strlen(path));
	unlink(path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || bind(fd, (struct sockaddr *)&at, sizeof(at)) != 0 || chmod(path, 0660) != 0 ||
	    listen(fd, BACKLOG) != 0) {
		err_errno(e, ERR_UNAVAILABLE, "socket_bind", path);
		if (fd >= 0)
			close(fd);
		return false;
	}
	*out = fd;
	return true;
}
