# The private nginx's template, and the problems it answers by itself.
nobase_dist_pkgdata_DATA += nginx/nginx.conf.in nginx/errors.conf
