"""The marketplace: what everybody sees of published collectors, and ratings."""
import concurrent.futures
import re
import urllib.parse

import pytest
from conftest import PASSWORD, TIME, UUID, check_shape, contains, unique
from market import CREATOR_SECRET, Collector, collector_body, install, source_body

LISTED = {
    "id": UUID, "name": str, "description": str, "publisher": str, "rating": (None, int, float),
    "ratingCount": int, "installs": int,
    "dataSource": {"name": str, "requiredConfig": [
        {"name": str, "label": str, "type": str, "required": True}]},
    "version": str, "category": (None, str), "tags": [str], "publishedAt": TIME,
    "isVerified": bool, "authType": str, "updatedAt": TIME,
}
VERSION = {"version": str, "releaseNotes": str, "breaking": list, "publishedAt": TIME}
DETAIL = {
    "configFields": list, "hosts": [str],
    "streams": [{"id": str, "name": str, "stream": str, "strategy": str}],
}


def tag():
    return unique("tag").replace(" ", "-")


@pytest.fixture(scope="module")
def creator(make_tenant):
    return make_tenant(name="Alice")


@pytest.fixture(scope="module")
def published(creator):
    one = Collector(creator, source_body(tags=["shopify", tag()]))
    one.tag = one.source["tags"][1]
    return one.publish("1.0.0", "Initial release - syncs Shopify products and orders")


@pytest.fixture(scope="module")
def shelf(creator):
    """Three collectors under one tag."""
    mark = tag()
    words = (("Zebra", "counts stripes", "Animals"), ("apple", "weighs fruit", "Food & Drink"),
             ("Mango", "peels stripes off fruit", "Food & Drink"))
    out = [Collector(creator, source_body(tags=[mark], category=category),
                     collector_body(name=f"{name} {mark}", description=text)).publish()
           for name, text, category in words]
    return mark, out


def found(client, query):
    return [one["id"] for one in client.get("/marketplace/collectors?limit=200&" + query)["collectors"]]


def test_example_5_is_answered_as_it_is_written(anyone, published, creator):
    answer = anyone.get(f"/marketplace/collectors?category=ecommerce&tag={published.tag}")
    assert set(answer.json) == {"collectors", "nextCursor", "total", "facets"} and answer["nextCursor"] is None
    [one] = answer["collectors"]
    check_shape(one, LISTED)
    contains(one, {
        "id": published.id, "name": published.body["name"],
        "description": "Syncs products and orders from Shopify", "publisher": creator.workspace,
        "rating": None, "version": "1.0.0", "category": "E-commerce",
        "dataSource": {"name": published.source["name"], "requiredConfig": [
            {"name": "shopUrl", "label": "Shop URL", "type": "Text", "required": True},
            {"name": "apiKey", "label": "Admin API Access Token", "type": "Password",
             "required": True}]}})


def test_a_token_makes_no_difference(anyone, creator, published):
    query = f"/marketplace/collectors?tag={published.tag}"
    assert creator.get(query).json == anyone.get(query).json
    assert anyone.with_token("ctm_wrong").get(query).json == anyone.get(query).json


def test_a_draft_is_not_shown(anyone, creator):
    mark = tag()
    draft = Collector(creator, source_body(tags=[mark]))
    assert found(anyone, f"tag={mark}") == []
    anyone.get(draft.path, 404, "not_found")


@pytest.mark.parametrize("category", ["ecommerce", "E-commerce", "E COMMERCE", "e-Commerce!"])
def test_a_category_is_compared_by_letters_and_digits(anyone, published, category):
    assert found(anyone, f"tag={published.tag}&category={category.replace(' ', '%20')}") == [published.id]


def test_another_category_or_tag_finds_nothing(anyone, published):
    assert found(anyone, f"tag={published.tag}&category=commerce") == []
    assert found(anyone, "tag=" + tag()) == []


@pytest.mark.parametrize("q, names", [
    ("stripes", {"Zebra", "Mango"}), ("stri", {"Zebra", "Mango"}), ("FRUIT", {"apple", "Mango"}),
    ("zeb", {"Zebra"}), ("stripes+fruit", {"Mango"}), ("fruit+zebra", set()), ("ebra", set()),
    ("man'go", set()), ("%2B%2B", set()), ("stripes+%26+%21", {"Zebra", "Mango"}),
    ("%27+OR+zq%3Dzq", set()), ("", {"Zebra", "apple", "Mango"}),
])
def test_a_search_is_beginnings_of_words_in_name_and_description(anyone, shelf, q, names):
    mark, all_of_them = shelf
    by_id = {one.id: one.body["name"].split()[0] for one in all_of_them}
    assert {by_id[i] for i in found(anyone, f"tag={mark}&q={q}")} == names


def test_a_search_finds_streams_publisher_and_source(anyone, shelf, creator):
    mark, all_of_them = shelf
    ids = {one.id for one in all_of_them}
    for word in ("getProducts", "order", creator.workspace.replace(" ", "+"), "Shop+API"):
        assert set(found(anyone, f"tag={mark}&q={word}")) == ids, word
    assert found(anyone, f"tag={mark}&q=getInvoices") == []


def public_faces(anyone, one):
    """All that somebody who has not signed in can see of one collector."""
    for path in (f"/marketplace/collectors?tag={one.tag}", one.path, one.path + "/releases/1.0.0", one.path + "/ratings"):
        yield anyone.get(path).body.decode()
    for path in (f"marketplace/collectors?tag={one.tag}", one.path[1:]):
        page = anyone.send("GET", path, headers={"Accept": "text/html"})
        assert page.status == 200 and page.headers["Content-Type"].startswith("text/html"), path
        yield page.body.decode()


def test_no_face_of_the_marketplace_shows_an_address(anyone, creator, published):
    for shown in public_faces(anyone, published):
        assert re.findall(r"[^\s@]+@[^\s@]+", shown) == []
    for q in (creator.email, creator.email.split("@")[0], "example.com"):
        assert published.id not in found(anyone, "q=" + q), "an address cannot be guessed by searching either"
    assert found(anyone, "publisher=" + creator.email) == []
    assert creator.get(f"/collectors/{published.id}/releases")["releases"][0]["publishedBy"] == creator.email


def test_a_workspace_called_after_an_address_shows_none(anyone, make_tenant):
    mark = tag()
    named = make_tenant(workspace=f"{mark} of zoe@example.com")
    one = Collector(named, source_body(tags=[mark])).publish()
    assert anyone.get(one.path)["publisher"] == f"{mark} of zoe"
    email = tag() + "@example.com"
    made = anyone.post("/sign-up", {"email": email, "password": PASSWORD})
    assert made["tenant"]["name"] == "Workspace of " + email.split("@")[0]


def test_a_renamed_workspace_is_renamed_in_the_marketplace(anyone, make_tenant):
    creator, mark = make_tenant(), tag()
    one = Collector(creator, source_body(tags=[mark])).publish()
    creator.patch("/tenant", {"name": f"House {mark}"}, status=200)
    assert anyone.get(one.path)["publisher"] == f"House {mark}"
    assert found(anyone, f"publisher=house+{mark}") == found(anyone, f"q=house+{mark.replace('-', '+')}") == [one.id]
    assert found(anyone, f"tag={mark}&publisher=" + creator.workspace.replace(" ", "+")) == []


def facets(client, query):
    """{facet: {value: count}}"""
    shown = client.get("/marketplace/collectors?limit=1&" + query).json
    assert list(shown["facets"]) == ["category", "authType", "publisher", "verified", "tag"]
    for values in shown["facets"].values():
        counts = [one["count"] for one in values]
        assert counts == sorted(counts, reverse=True)
    return {name: {one["value"]: one["count"] for one in values} for name, values in shown["facets"].items()}, shown["total"]


@pytest.fixture(scope="module")
def wall(make_tenant):
    """Five collectors that share a word: two publishers, two categories, two ways to sign in."""
    mark, alice, bob = tag(), make_tenant(), make_tenant()
    bearer = {"type": "Bearer", "details": {"token": "{config.apiKey}"}}
    rows = ((alice, "Animals", None, ["big"]), (alice, "Animals", bearer, ["big", "wild"]),
            (alice, "Food & Drink", bearer, ["wild"]), (bob, "food drink", None, ["big"]), (bob, None, bearer, []))
    made = []
    for who, category, auth, tags in rows:
        body = source_body(tags=tags, category=category or "")
        body.update({"authConfig": auth} if auth else {})
        made.append(Collector(who, body, collector_body(name=unique(f"{mark} thing"))).publish())
    return mark, alice, bob, made


def test_facets_count_what_fits_each_value(anyone, wall):
    mark, alice, bob, _ = wall
    shown, total = facets(anyone, f"q={mark}")
    assert total == 5
    assert shown == {"category": {"Animals": 2, "Food & Drink": 2}, "authType": {"Custom": 2, "Bearer": 3},
                     "publisher": {alice.workspace: 3, bob.workspace: 2}, "verified": {"false": 5},
                     "tag": {"big": 3, "wild": 2}}


@pytest.mark.parametrize("query, total, expected", [
    ("category=animals", 2, {"category": {"Animals": 2, "Food & Drink": 2}, "authType": {"Custom": 1, "Bearer": 1},
                             "tag": {"big": 2, "wild": 1}}),
    ("authType=Bearer", 3, {"authType": {"Custom": 2, "Bearer": 3}, "category": {"Animals": 1, "Food & Drink": 1},
                            "tag": {"big": 1, "wild": 2}}),
    ("tag=BIG&category=Animals", 2, {"tag": {"big": 2, "wild": 1}, "category": {"Animals": 2, "food drink": 1}}),
    ("verified=true", 0, {"verified": {"false": 5}, "category": {}, "tag": {}}),
])
def test_a_facet_counts_under_all_filters_but_its_own(anyone, wall, query, total, expected):
    shown, count = facets(anyone, f"q={wall[0]}&{query}")
    assert count == total == len(found(anyone, f"q={wall[0]}&{query}"))
    assert {name: shown[name] for name in expected} == expected


def test_each_value_of_a_facet_finds_as_many_as_it_says(anyone, wall):
    shown, _ = facets(anyone, f"q={wall[0]}")
    for name, values in shown.items():
        for value, count in values.items():
            query = f"q={wall[0]}&{name}={urllib.parse.quote(value)}"
            assert len(found(anyone, query)) == count, query


def test_facets_stand_on_the_first_page_alone(anyone, wall):
    first = anyone.get(f"/marketplace/collectors?q={wall[0]}&limit=2")
    second = anyone.get(f"/marketplace/collectors?q={wall[0]}&limit=2&cursor={first['nextCursor']}").json
    assert set(second) == {"collectors", "nextCursor"} and len(second["collectors"]) == 2


def test_what_the_platform_has_reviewed_is_marked_until_the_next_version(anyone, wall, make_administrator):
    mark, _, bob, made = wall
    admin, one = make_administrator("admin"), made[3]
    admin.post(f"/admin/listings/{one.id}/approve", {"version": "1.0.0"}, 200)
    assert found(anyone, f"q={mark}&verified=true") == [one.id]
    assert anyone.get(one.path)["isVerified"] is True
    one.publish("1.1.0")
    assert found(anyone, f"q={mark}&verified=true") == [] and anyone.get(one.path)["isVerified"] is False


def test_sorting_by_updated_shows_the_last_version_first(anyone, wall):
    mark, _, _, made = wall
    made[0].publish("3.0.0")
    assert found(anyone, f"q={mark}&sort=updated")[0] == made[0].id
    assert found(anyone, f"q={mark}&sort=newest")[-1] == made[0].id


@pytest.mark.parametrize("query, pointer, code", [
    ("authType=Magic", "authType", "not_a_choice"), ("verified=maybe", "verified", "wrong_type"),
    ("sort=size", "sort", "not_a_choice"), ("author=x", "author", "unknown_parameter")])
def test_a_filter_that_is_wrong_is_named(anyone, query, pointer, code):
    assert anyone.get("/marketplace/collectors?" + query, 422).pointers() == {pointer: code}


def test_a_search_finds_tags(anyone, shelf):
    mark, all_of_them = shelf
    assert set(found(anyone, f"q={mark}")) == {one.id for one in all_of_them}


def test_sorting_by_name_does_not_look_at_case(anyone, shelf):
    mark, (zebra, apple, mango) = shelf
    assert found(anyone, f"tag={mark}&sort=name") == [apple.id, mango.id, zebra.id]


def test_sorting_by_newest_shows_the_last_published_first(anyone, shelf):
    mark, all_of_them = shelf
    assert found(anyone, f"tag={mark}&sort=newest") == [one.id for one in reversed(all_of_them)]


def test_sorting_by_installs_and_rating(anyone, shelf, make_tenant):
    mark, (zebra, apple, mango) = shelf
    first, second = make_tenant(), make_tenant()
    for tenant, stars in ((first, 3), (second, 4)):
        install(tenant, apple)
        tenant.put(apple.path + "/rating", {"stars": stars})
    install(first, zebra)
    first.put(zebra.path + "/rating", {"stars": 5})
    assert found(anyone, f"tag={mark}&sort=installs") == [apple.id, zebra.id, mango.id]
    assert found(anyone, f"tag={mark}") == [apple.id, zebra.id, mango.id]
    assert found(anyone, f"tag={mark}&sort=rating") == [zebra.id, apple.id, mango.id]


@pytest.mark.parametrize("sort", ["installs", "rating", "newest", "updated", "name", "relevance"])
def test_every_order_pages_through_all_of_them_once(anyone, shelf, sort):
    mark, all_of_them = shelf
    query = f"/marketplace/collectors?tag={mark}&sort={sort}&limit="
    whole = [one["id"] for one in anyone.get(query + "200")["collectors"]]
    assert set(whole) == {one.id for one in all_of_them}
    assert [one["id"] for one in anyone.every(query + "1", "collectors")] == whole
    searched = f"/marketplace/collectors?q={mark}&sort={sort}&limit=1"
    assert len(anyone.every(searched, "collectors")) == 3


def test_a_cursor_is_bound_to_its_list_and_filters(anyone, shelf):
    mark, all_of_them = shelf
    base = f"/marketplace/collectors?tag={mark}&limit=1"
    cursor = anyone.get(base)["nextCursor"]
    anyone.get(f"{base}&cursor={cursor}")
    for wrong in (f"{base}&cursor=x", f"{base}&cursor={cursor[:-1]}{'A' if cursor[-1] != 'A' else 'B'}",
                  f"{base}&sort=name&cursor={cursor}", f"/marketplace/collectors?limit=1&cursor={cursor}",
                  f"{all_of_them[0].path}/ratings?cursor={cursor}"):
        anyone.get(wrong, 400, "cursor_invalid")


@pytest.mark.parametrize("query, pointer, code", [
    ("sort=password", "sort", "not_a_choice"), ("limit=0", "limit", "out_of_range"),
    ("limit=201", "limit", "out_of_range"), ("limit=-1", "limit", "out_of_range"),
    ("limit=abc", "limit", "wrong_type"), ("tag=a&tag=b", "tag", "repeated"),
    ("rating[gt]=1", "rating[gt]", "unknown_parameter"), ("q=" + "x" * 201, "q", "too_long"),
])
def test_a_wrong_parameter_is_named(anyone, query, pointer, code):
    assert anyone.get("/marketplace/collectors?" + query, 422).pointers() == {pointer: code}


def test_a_detail_shows_what_to_fill_in_and_what_one_gets(anyone, published):
    answer = anyone.get(published.path)
    check_shape(answer.json, {**LISTED, **DETAIL, "versions": [VERSION], "ratings": {
        "average": (None, int, float), "count": int,
        "stars": {"5": int, "4": int, "3": int, "2": int, "1": int}}})
    assert answer["configFields"] == published.source["configFields"]
    assert answer["hosts"] == []
    assert [(s["id"], s["stream"], s["strategy"]) for s in answer["streams"]] == [
        ("product-sync-pipeline", "getProducts", "full-sync"),
        ("order-sync-pipeline", "getOrders", "full-sync")]
    assert [(v["version"], v["breaking"]) for v in answer["versions"]] == [("1.0.0", [])]
    assert answer["versions"][0]["releaseNotes"].startswith("Initial release")


def test_a_fixed_host_is_told(anyone, creator):
    fields = [f for f in source_body()["configFields"] if f["name"] != "shopUrl"]
    one = Collector(creator, source_body(baseUrl="https://API.example.com/v1", configFields=fields),
                    collector_body(creatorConfig={"apiKey": CREATOR_SECRET})).publish()
    assert anyone.get(one.path)["hosts"] == ["api.example.com"]


@pytest.mark.parametrize("address,hosts", [
    ("https://{config.shopUrl}/v1", []),
    ("https://{config.shopUrl}.example.com", ["{config.shopUrl}.example.com"]),
    ("https://api.{config.apiVersion}.example.com:8443/v1", ["api.{config.apiVersion}.example.com"]),
])
def test_a_host_that_is_fixed_in_part_is_not_called_the_readers_own(anyone, creator, address, hosts):
    one = Collector(creator, source_body(baseUrl=address), collector_body()).publish()
    assert anyone.get(one.path)["hosts"] == hosts


def test_no_answer_holds_a_config_value_of_the_creator(anyone, published):
    for path in (f"/marketplace/collectors?tag={published.tag}", published.path,
                 published.path + "/releases/1.0.0", published.path + "/ratings"):
        body = anyone.get(path).body.decode()
        assert CREATOR_SECRET not in body and "alice-test-store" not in body, path
        assert "creatorConfig" not in body


def test_an_answer_that_is_known_already_is_not_sent_again(anyone, published):
    etag = anyone.get(published.path).headers["ETag"]
    answer = anyone.get(published.path, 304, headers={"If-None-Match": etag})
    assert answer.body == b"" and answer.headers["ETag"] == etag


def test_each_version_can_be_read(anyone, creator):
    one = Collector(creator).publish("1.0.0", "first")
    one.change(description="More of it").publish("1.1.0", "second")
    old, new = (anyone.get(f"{one.path}/releases/{v}") for v in ("1.0.0", "1.1.0"))
    check_shape(old.json, {"collectorId": UUID, "name": str, "publisher": str, **VERSION, **DETAIL})
    assert (old["releaseNotes"], new["releaseNotes"]) == ("first", "second")
    assert anyone.get(one.path)["version"] == "1.1.0"
    assert [v["version"] for v in anyone.get(one.path)["versions"]] == ["1.1.0", "1.0.0"]
    for wrong in ("2.0.0", "1.0", "latest", "1.0.0%20", "%27"):
        anyone.get(f"{one.path}/releases/{wrong}", 404, "not_found")


@pytest.mark.parametrize("path", [
    "/marketplace/collectors/00000000-0000-7000-8000-000000000000", "/marketplace/collectors/1",
    "/marketplace/collectors/%27", "/marketplace/collectors/00000000-0000-7000-8000-000000000000/ratings",
    "/marketplace/collectors/00000000-0000-7000-8000-000000000000/releases/1.0.0"])
def test_what_is_not_there_is_404(anyone, path):
    anyone.get(path, 404, "not_found")


@pytest.mark.parametrize("method, path", [
    ("POST", "/marketplace/collectors"), ("DELETE", "/marketplace/collectors/{id}"),
    ("PATCH", "/marketplace/collectors/{id}"), ("PUT", "/marketplace/collectors/{id}/ratings"),
    ("POST", "/marketplace/collectors/{id}/rating"), ("GET", "/collectors/{id}/install")])
def test_other_methods_are_told_which_ones_there_are(creator, published, method, path):
    answer = creator.ask(method, path.format(id=published.id), 405, "method_not_allowed")
    assert re.match(r"OPTIONS, (GET, HEAD|POST)", answer.headers["Allow"])


# --- ratings ---

REVIEW = {"id": UUID, "stars": int, "comment": str, "ratedAt": TIME}


@pytest.fixture()
def rated(creator):
    return Collector(creator).publish()


def test_a_rating_is_made_revised_and_taken_back(anyone, rated, tenant):
    install(tenant, rated)
    made = tenant.put(rated.path + "/rating", {"stars": 4, "comment": "Good"})
    check_shape(made.json, {"collectorId": UUID, "stars": int, "comment": "Good", "ratedAt": TIME})
    assert tenant.get(rated.path + "/rating").json == made.json
    tenant.put(rated.path + "/rating", {"stars": 2})
    seen = anyone.get(rated.path)
    assert (seen["rating"], seen["ratingCount"], seen["ratings"]["stars"]["2"],
            seen["ratings"]["stars"]["4"]) == (2, 1, 1, 0)
    assert [(v["stars"], v["comment"]) for v in anyone.get(rated.path + "/ratings")["ratings"]] == [(2, "")]
    tenant.delete(rated.path + "/rating")
    tenant.delete(rated.path + "/rating", 404, "not_found")
    tenant.get(rated.path + "/rating", 404, "not_found")
    seen = anyone.get(rated.path)
    assert (seen["rating"], seen["ratingCount"], seen["ratings"]["count"]) == (None, 0, 0)
    assert anyone.get(rated.path + "/ratings")["ratings"] == []


def test_a_publishers_own_installation_neither_counts_nor_rates(anyone, creator, tenant):
    own = Collector(creator).publish()
    mine = install(creator, own)
    install(tenant, own)
    creator.put(own.path + "/rating", {"stars": 5}, 403, "own_collector")
    assert (anyone.get(own.path)["installs"], anyone.get(own.path)["rating"]) == (1, None)
    creator.delete("/collector-instances/" + mine["instanceId"])
    assert anyone.get(own.path)["installs"] == 1


def test_the_average_has_one_decimal_and_the_list_tells_no_names(anyone, rated, make_tenant):
    clients = [make_tenant() for _ in range(3)]
    for client, stars in zip(clients, (5, 4, 5)):
        install(client, rated)
        client.put(rated.path + "/rating", {"stars": stars, "comment": f"{stars} stars"})
    assert anyone.get(rated.path)["rating"] == 4.7
    answer = anyone.get(rated.path + "/ratings")
    check_shape(answer.json, {"collectorId": UUID, "average": float, "count": int, "ratings": [REVIEW],
                              "nextCursor": None})
    assert [one["stars"] for one in answer["ratings"]] == [5, 4, 5]  # newest first
    for client in clients:
        assert client.tenant.encode() not in answer.body and client.email.encode() not in answer.body
    assert [one["stars"] for one in anyone.every(rated.path + "/ratings?limit=2", "ratings")] == [5, 4, 5]


def test_only_who_has_it_installed_may_rate(rated, tenant):
    tenant.put(rated.path + "/rating", {"stars": 5}, 403, "not_installed")
    instance = install(tenant, rated)["instanceId"]
    tenant.put(rated.path + "/rating", {"stars": 5})
    tenant.delete("/collector-instances/" + instance)
    tenant.put(rated.path + "/rating", {"stars": 1}, 403, "not_installed")
    tenant.delete(rated.path + "/rating")


def test_ratings_at_once_are_counted_once_a_workspace(anyone, rated, make_tenant):
    clients = [make_tenant() for _ in range(3)]
    for client in clients:
        install(client, rated)
    with concurrent.futures.ThreadPoolExecutor(9) as pool:
        for answer in pool.map(lambda n: clients[n % 3].put(rated.path + "/rating", {"stars": 4}), range(18)):
            assert answer["stars"] == 4
    seen = anyone.get(rated.path)
    assert (seen["rating"], seen["ratingCount"], seen["ratings"]["stars"]["4"]) == (4, 3, 3)
    assert len(anyone.get(rated.path + "/ratings")["ratings"]) == 3


@pytest.mark.parametrize("body, pointer, code", [
    ({"stars": 0}, "/stars", "out_of_range"), ({"stars": 6}, "/stars", "out_of_range"),
    ({"stars": 1.5}, "/stars", "not_integer"), ({"stars": "5"}, "/stars", "wrong_type"),
    ({}, "/stars", "required"), ({"stars": None}, "/stars", "required"),
    ({"stars": 5, "who": "me"}, "/who", "unknown_field"),
    ({"stars": 5, "comment": "x" * 2001}, "/comment", "too_long"),
    ({"stars": 5, "comment": "\u202e"}, "/comment", "control_character"),
])
def test_a_wrong_rating_is_refused_with_its_place(rated, shared_tenant, body, pointer, code):
    assert shared_tenant.put(rated.path + "/rating", body, 422).pointers() == {pointer: code}


def test_rating_needs_a_token_a_role_and_a_scope(anyone, rated, tenant):
    install(tenant, rated)
    path = rated.path + "/rating"
    anyone.put(path, {"stars": 5}, 401)
    anyone.delete(path, 401)
    anyone.get(path, 401)
    tenant.member("viewer").put(path, {"stars": 5}, 403, "role_missing")
    tenant.with_scopes("marketplace:read").put(path, {"stars": 5}, 403, "scope_missing")
    tenant.with_scopes("marketplace:write").put(path, {"stars": 5})
    tenant.with_scopes("marketplace:read").get(path)


def test_what_is_delisted_takes_no_rating_and_says_so(creator, tenant):
    one = Collector(creator).publish()
    install(tenant, one)
    tenant.put(one.path + "/rating", {"stars": 4}, 200)
    creator.post(f"/collectors/{one.id}/delist", None, 200)
    tenant.put(one.path + "/rating", {"stars": 5}, 409, "not_listed")
    assert tenant.get(one.path + "/rating")["stars"] == 4


def test_rating_what_is_not_there_is_404(tenant):
    tenant.put("/marketplace/collectors/00000000-0000-7000-8000-000000000000/rating", {"stars": 5}, 404)
