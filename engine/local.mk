noinst_LIBRARIES += engine/libengine.a
engine_libengine_a_SOURCES =
engine_libengine_a_SOURCES += \
  engine/canonical.c engine/canonical.h \
  engine/condition.c engine/condition.h \
  engine/configuration.c engine/configuration.h \
  engine/decimal.c engine/decimal.h \
  engine/record.c engine/record.h \
  engine/record_step.c engine/record_step.h engine/record_shape.c \
  engine/record_transform.c engine/record_flatten.c \
  engine/reader.c engine/reader.h engine/reader_parts.h engine/reader_lines.c \
  engine/reader_packed.c \
  engine/record_twins.c \
  engine/scope.c engine/scope.h \
  engine/timeform.c engine/timeform.h \
  engine/template.c engine/template.h
engine_libengine_a_SOURCES += \
  engine/auth.c engine/auth.h \
  engine/compile.c engine/compile.h \
  engine/credential.c engine/credential.h \
  engine/definition.c engine/definition.h engine/definition_form.c \
  engine/definition_shape.c \
  engine/link.c engine/link.h \
  engine/oauth.c engine/oauth.h \
  engine/paginate.c engine/paginate.h engine/paginate_parts.h \
  engine/paginate_kind.c engine/paginate_shape.c \
  engine/plan.c engine/plan_cursor.c engine/plan.h engine/plan_parts.h \
  engine/quota.c engine/quota.h \
  engine/refusal.c engine/refusal.h \
  engine/release.c engine/release.h engine/release_parts.h engine/release_changes.c \
  engine/request.c engine/request.h engine/request_compile.c engine/request_body.c \
  engine/request_parts.h \
  engine/retry.c engine/retry.h \
  engine/run.c engine/run.h engine/run_parts.h \
  engine/run_cache.c engine/run_note.c engine/run_page.c engine/run_state.c engine/run_take.c \
  engine/run_token.c \
  engine/run_window.c \
  engine/signature.c engine/signature.h \
  engine/steps.c engine/steps.h \
  engine/weave.c engine/weave.h
ENGINE_ALL = engine/libengine.a $(LIB_ALL)
