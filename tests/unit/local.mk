# Unit tests: cmocka printing TAP, one program per module, linked against the room it tests.
if HAVE_CMOCKA
include tests/unit/lib.mk
include tests/unit/http.mk
include tests/unit/engine.mk
include tests/unit/drive.mk
include tests/unit/web.mk
endif
