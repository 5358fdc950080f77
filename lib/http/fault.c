/* What libcurl says, in our words. A callback that stopped the transfer knows better than its code. */
#include "config.h"

#include "lib/http/loop.h"

#include "lib/base/poison.h"

static const enum http_fault plain[] = {
	[CURLE_UNSUPPORTED_PROTOCOL] = HTTP_FAULT_BAD_RESPONSE, /* the answer was HTTP/0.9 */
	[CURLE_COULDNT_RESOLVE_HOST] = HTTP_FAULT_TARGET_NOT_ALLOWED,
	[CURLE_COULDNT_CONNECT] = HTTP_FAULT_CONNECT,
	[CURLE_WEIRD_SERVER_REPLY] = HTTP_FAULT_BAD_RESPONSE,
	[CURLE_PARTIAL_FILE] = HTTP_FAULT_TRUNCATED,
	[CURLE_SSL_ENGINE_NOTFOUND] = HTTP_FAULT_TLS,
	[CURLE_SSL_CERTPROBLEM] = HTTP_FAULT_TLS,
	[CURLE_SSL_CIPHER] = HTTP_FAULT_TLS,
	[CURLE_PEER_FAILED_VERIFICATION] = HTTP_FAULT_TLS,
	[CURLE_BAD_CONTENT_ENCODING] = HTTP_FAULT_BAD_RESPONSE,
	[CURLE_SSL_CACERT_BADFILE] = HTTP_FAULT_TLS,
	[CURLE_SSL_CRL_BADFILE] = HTTP_FAULT_TLS,
	[CURLE_SSL_ISSUER_ERROR] = HTTP_FAULT_TLS,
	[CURLE_SSL_PINNEDPUBKEYNOTMATCH] = HTTP_FAULT_TLS,
	[CURLE_SSL_INVALIDCERTSTATUS] = HTTP_FAULT_TLS,
	[CURLE_SSL_CLIENTCERT] = HTTP_FAULT_TLS,
};

static enum http_fault timeout_of(const struct http_transfer *t)
{
	if (t->connected_ms == 0)
		return HTTP_FAULT_TIMEOUT_CONNECT;
	return t->first_byte ? HTTP_FAULT_TIMEOUT_TOTAL : HTTP_FAULT_TIMEOUT_FIRST_BYTE;
}

/* A line that outgrows libcurl's own buffer is reported as lack of memory. */
static enum http_fault memory_of(const struct http_transfer *t)
{
	return t->connected_ms != 0 && !t->head_done ? HTTP_FAULT_HEADERS_TOO_LARGE
	                                             : HTTP_FAULT_INTERNAL;
}

/* A handshake that was cut is a broken connection; only one that was refused is about trust. */
static enum http_fault handshake_of(const struct http_transfer *t)
{
	return strstr(t->error, "SYSCALL") != NULL || strstr(t->error, "reset") != NULL
	               ? HTTP_FAULT_CONNECT
	               : HTTP_FAULT_TLS;
}

enum http_fault fault_of(const struct http_transfer *t, CURLcode rc)
{
	if (t->fault != HTTP_FAULT_NONE)
		return t->fault;
	if (t->denied)
		return HTTP_FAULT_TARGET_NOT_ALLOWED;
	switch (rc) {
	case CURLE_OK:
		return HTTP_FAULT_NONE;
	case CURLE_OPERATION_TIMEDOUT:
		return timeout_of(t);
	case CURLE_OUT_OF_MEMORY:
		return memory_of(t);
	case CURLE_SSL_CONNECT_ERROR:
		return handshake_of(t);
	case CURLE_GOT_NOTHING:
	case CURLE_SEND_ERROR:
	case CURLE_RECV_ERROR:
		return t->first_byte ? HTTP_FAULT_TRUNCATED : HTTP_FAULT_CONNECT;
	default:
		break;
	}
	if ((size_t)rc < sizeof(plain) / sizeof(*plain) && plain[rc] != HTTP_FAULT_NONE)
		return plain[rc];
	return HTTP_FAULT_INTERNAL;
}
