/* Forms: answers that are no plain JSON list, through whole runs. */
#include "config.h"

#include <stdio.h>

#include "tests/unit/engine_play.h"

#include "lib/base/poison.h"

#define SOURCE                                                                                     \
	"{'name':'API','baseUrl':'https://api.example','configFields':[],'functions':["            \
	"{'id':'f','name':'items','path':'/a'%s}]%s}"
#define PIPELINE                                                                                   \
	"{'name':'p','functionId':'f','processingSteps':[{'name':'c','type':'api-call'}%s]}"

/* clang-format off */
#define PAGE(text) { 200, text, NULL, HTTP_FAULT_NONE }
#define TYPED(type, text) { 200, text, "Content-Type: " type, HTTP_FAULT_NONE }
#define PAGED(config) ",{'name':'p','type':'pagination','config':" config "}"
/* clang-format on */

struct row {
	const char *name, *function, *source, *steps;
	struct scripted answers[4];
	size_t count;
	const char *transcript, *said; /* said: in the message of the end, or NULL */
};

/* clang-format off */
static const struct row rows[] = {
	{ "a map's records have their names as keys", ",'recordsKind':'map'", "",
	  ",{'name':'v','type':'validate','config':{'required':['x']}}",
	  { PAGE("{'a':{'id':1,'x':1.50},'b':{'id':2}}") }, 1,
	  "> GET https://api.example/a\n= 1: 1 !2(validation_failed)\n"
	  ". partial records_quarantined complete \"single page\"\n", NULL },
	{ "records that were made are compared as a page too", ",'recordsKind':'scalars'", "",
	  PAGED("{'type':'page'}"),
	  { PAGE("[1,2]"), PAGE("[1,2]"), PAGE("[1,2]") }, 3, NULL, "sent the same page three times" },
	{ "other made records are other pages", ",'recordsKind':'scalars'", "",
	  PAGED("{'type':'page'}"),
	  { PAGE("[1,2]"), PAGE("[1,3]"), PAGE("[1,2]"), PAGE("[]") }, 4, NULL, "" },
	{ "uneven columns end the run and say which", ",'recordsKind':'columns'", "", "",
	  { PAGE("{'time':[1,2],'value':[3]}") }, 1,
	  "> GET https://api.example/a\n. failed records_uneven\n", "\"time\" and \"value\"" },
};
/* clang-format on */

static void forms_are_read_as_their_transcripts_say(void **state)
{
	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++) {
		const struct row *r = &rows[i];
		char source[2000], pipeline[2000];
		struct play *p;

		snprintf(source, sizeof source, SOURCE, r->function, r->source);
		snprintf(pipeline, sizeof pipeline, PIPELINE, r->steps);
		p = play_new(source, pipeline);
		play_script(p, r->answers, r->count);
		if ((r->transcript && strcmp(p->log.p, r->transcript) != 0) ||
		    p->sent != r->count || (r->said && !strstr(p->message, r->said)) ||
		    (r->said && !*r->said && *p->message))
			fail_msg("%s:\n%s\nexpected:\n%s\n%s", r->name, p->log.p,
			         r->transcript ? r->transcript : r->said, p->message);
		play_free(p);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST("forms are read as their transcripts say",
		     forms_are_read_as_their_transcripts_say),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
