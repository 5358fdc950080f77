noinst_LIBRARIES += drive/libdrive.a
drive_libdrive_a_SOURCES =
DRIVE_ALL = drive/libdrive.a $(ENGINE_ALL)
