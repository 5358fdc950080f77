# What browsers get as files, below /static/<hash of all of them>/; each also gzipped, for nginx.
STATIC_FILES = static/app.css static/app.js static/icon.svg
nobase_dist_pkgdata_DATA += $(STATIC_FILES)
install-data-hook: static-gzip
static-gzip:
	for file in $(STATIC_FILES); do \
	  gzip -9 -n -k -f "$(DESTDIR)$(pkgdatadir)/$$file" || exit 1; done
uninstall-local:
	cd "$(DESTDIR)$(pkgdatadir)" && for file in $(STATIC_FILES); do rm -f "$$file.gz"; done
.PHONY: static-gzip
