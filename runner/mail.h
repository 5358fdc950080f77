/*
 * mail - letters from other threads to the main loop
 *
 * Ownership: a letter is embedded in what it is about; whoever takes it owns that again.
 * Errors:    mail_open: err. Posting never fails.
 * Threads:   any thread posts; one takes.
 */
#ifndef CATCHMENT_RUNNER_MAIL_H
#define CATCHMENT_RUNNER_MAIL_H

#include <pthread.h>

#include "lib/base/err.h"

enum letter_kind { LETTER_CLAIMS, LETTER_JOB, LETTER_CANCELS, LETTER_LEASE_LOST };

struct letter {
	enum letter_kind kind;
	struct letter *next;
};

struct mailbox {
	pthread_mutex_t mutex;
	struct letter *first, **last;
	int fd; /* eventfd: readable while there are letters */
};

MUST_CHECK bool mail_open(struct mailbox *, struct err *);
void mail_close(struct mailbox *);
void mail_post(struct mailbox *, struct letter *);
struct letter *mail_take(struct mailbox *); /* all of them, oldest first, linked; NULL: none */

#endif
