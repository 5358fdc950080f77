// The page of a list in Node: http and pg, one process a core, each with a pool of its own.
//
//   node peer_web.js SETTINGS.json     {port, processes, pool, host, user, database, nouns, enter, list};
//                                      enter and list are {text, values}
'use strict';
const cluster = require('cluster');
const fs = require('fs');
const http = require('http');
const { Pool } = require('pg');

const settings = JSON.parse(fs.readFileSync(process.argv[2], 'utf8'));

function serve() {
	const pool = new Pool({
		host: settings.host, user: settings.user, database: settings.database, max: settings.pool
	});
	const enter = { name: 'enter', ...settings.enter };
	const list = { name: 'list', ...settings.list, rowMode: 'array' };

	async function page() {
		const client = await pool.connect();
		try {
			await client.query('BEGIN');
			await client.query(enter);
			const { rows } = await client.query(list);
			await client.query('COMMIT');
			client.release();
			return rows[0][0];
		} catch (e) {
			client.release(e);
			throw e;
		}
	}
	// the items are JSON already: what parses it would only write it again
	for (const type of [114, 3802])
		require('pg').types.setTypeParser(type, (text) => text);
	http.createServer((request, response) => {
		page().then((items) => {
			const body = Buffer.from(`{"${settings.nouns}":${items},"nextCursor":null}\n`);
			response.writeHead(200, { 'Content-Type': 'application/json', 'Content-Length': body.length });
			response.end(body);
		}, (e) => {
			console.error(e.message);
			response.writeHead(500);
			response.end();
		});
	}).listen(settings.port, '127.0.0.1');
}

if (cluster.isPrimary && settings.processes > 1)
	for (let i = 0; i < settings.processes; i++)
		cluster.fork();
else
	serve();
