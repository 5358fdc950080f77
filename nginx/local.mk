# The private nginx's template, and the problems it answers by itself, for clients and for browsers.
nobase_dist_pkgdata_DATA += nginx/nginx.conf.in nginx/errors.conf nginx/errors_words.conf \
  nginx/errors_page.conf nginx/error.html
