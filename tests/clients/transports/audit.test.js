// graphql-http: its audit of a server of GraphQL over HTTP. Each audit passes, without a warning and without a notice.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { auditServer, renderAuditResultsToHTML } from 'graphql-http';
import { url } from './school.js';

/** So many audits the package has; fewer would look at less. */
const AUDITS = 61;

test(`all ${AUDITS} audits pass, without a warning and without a notice`, async () => {
  const results = await auditServer({ url, fetchFn: fetch });
  const report = await renderAuditResultsToHTML(results);
  // The package's own report, without its markup.
  console.log(report.replace(/<[^>]+>/g, '').replace(/\n{2,}/g, '\n'));
  assert.equal(results.length, AUDITS);
  const failed = results.filter(({ status }) => status !== 'ok');
  assert.deepEqual(failed.map(({ status, id, name, reason }) => `${status} ${id} ${name}: ${reason}`), []);
});
