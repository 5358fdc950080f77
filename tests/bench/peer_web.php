<?php
// The page of a list in PHP: a connection that outlives requests, parameters apart from their statements.
// With ?kept the statements are prepared once on each connection; programs rarely take that trouble.
$settings = json_decode(file_get_contents($_SERVER['SETTINGS']));
$db = pg_pconnect($settings->conninfo);

function page($db, $settings)
{
	pg_query($db, 'BEGIN');
	pg_query_params($db, $settings->enter->text, $settings->enter->values);
	$row = pg_fetch_row(pg_query_params($db, $settings->list->text, $settings->list->values));
	pg_query($db, 'COMMIT');
	return $row[0];
}

function page_kept($db, $settings)
{
	pg_query($db, 'BEGIN');
	if (!@pg_execute($db, 'enter', $settings->enter->values)) { // a connection that is new
		pg_query($db, 'ROLLBACK');
		pg_prepare($db, 'enter', $settings->enter->text);
		pg_prepare($db, 'list', $settings->list->text);
		return page_kept($db, $settings);
	}
	$row = pg_fetch_row(pg_execute($db, 'list', $settings->list->values));
	pg_query($db, 'COMMIT');
	return $row[0];
}

$items = $_SERVER['QUERY_STRING'] === 'kept' ? page_kept($db, $settings) : page($db, $settings);
header('Content-Type: application/json');
echo '{"', $settings->nouns, '":', $items, ",\"nextCursor\":null}\n";
