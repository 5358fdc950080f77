#include "config.h"

#include <stdint.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "runner/mail.h"
#include "lib/base/poison.h"

bool mail_open(struct mailbox *m, struct err *e)
{
	m->first = NULL;
	m->last = &m->first;
	m->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (m->fd < 0)
		return err_errno(e, ERR_UNAVAILABLE, "no_descriptor", "eventfd");
	pthread_mutex_init(&m->mutex, NULL);
	return true;
}

void mail_close(struct mailbox *m)
{
	close(m->fd);
	pthread_mutex_destroy(&m->mutex);
}

void mail_post(struct mailbox *m, struct letter *letter)
{
	uint64_t one = 1;

	letter->next = NULL;
	pthread_mutex_lock(&m->mutex);
	*m->last = letter;
	m->last = &letter->next;
	pthread_mutex_unlock(&m->mutex);
	if (write(m->fd, &one, sizeof(one)) < 0)
		return; /* the counter is full: it is readable already */
}

struct letter *mail_take(struct mailbox *m)
{
	struct letter *all;
	uint64_t count;

	if (read(m->fd, &count, sizeof(count)) < 0)
		count = 0; /* nothing was posted since; look all the same */
	pthread_mutex_lock(&m->mutex);
	all = m->first;
	m->first = NULL;
	m->last = &m->first;
	pthread_mutex_unlock(&m->mutex);
	return all;
}
