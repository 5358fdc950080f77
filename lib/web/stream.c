/*
 * stream - an answer of any size, written as it is read
 */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "lib/base/log.h"
#include "lib/web/private.h"
#include "lib/base/poison.h"

#define HEAD_MAX (16 * 1024)

bool reply_stream_open(struct req *r, const char *type, const char *filename, struct err *e)
{
	const struct web_io *io = r->private_->io;
	struct buf head;
	bool sent;

	/* After this nothing can be refused any more: who asks must be known by now. */
	if (route_asks_who(r->route) && !r->private_->entered &&
	    (!transaction_enter(r, e) || !req_commit(r, e)))
		return false;
	r->reply->streaming = true;
	reply_made(r, 200, type, (struct str){ NULL, 0 });
	if (filename)
		reply_header(r, "Content-Disposition",
		             arena_printf(r->arena, "attachment; filename=\"%s\"", filename));
	rate_headers(r);
	buf_init(&head, HEAD_MAX);
	reply_head_write(r, &head);
	sent = !head.failed && io->write(io->at, buf_view(&head)) && io->flush(io->at);
	buf_free(&head);
	return sent || err_set(e, ERR_BUG, "client_left", "The client left before the answer.");
}

bool reply_stream_write(struct req *r, struct str bytes)
{
	const struct web_io *io = r->private_->io;

	if (r->private_->head)
		return false;
	if (io->gone(io->at) || !io->write(io->at, bytes) || !io->flush(io->at))
		return false;
	r->private_->bytes_sent += bytes.len;
	return true;
}
