# The driver: performs what the engine asks for.
noinst_LIBRARIES += drive/libdrive.a
drive_libdrive_a_SOURCES = \
  drive/drive.c drive/drive.h \
  drive/drive_run.c drive/parts.h \
  drive/gate.c drive/gate.h \
  drive/load.c drive/load.h \
  drive/once.c drive/once.h \
  drive/plan_cache.c drive/plan_cache.h \
  drive/sink_memory.c drive/sink_memory.h \
  drive/sink_ndjson.c drive/sink_ndjson.h \
  drive/vault.c drive/vault.h
DRIVE_ALL = drive/libdrive.a $(ENGINE_ALL)
