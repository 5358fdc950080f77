lib_libcatchment_a_SOURCES += \
  lib/crypt/secret.h lib/crypt/secret.c \
  lib/crypt/crypt.h lib/crypt/crypt.c \
  lib/crypt/code.c lib/crypt/password.c \
  lib/crypt/seal.h lib/crypt/seal.c \
  lib/crypt/keyring.h lib/crypt/keyring.c \
  lib/crypt/sign.h lib/crypt/sign.c
