// What a JavaScript application does with fhir-kit-client; prints one JSON object.
import { Client } from 'fhir-kit-client';

const client = new Client({ baseUrl: process.argv[2] });
const found = {};

const capabilities = await client.capabilityStatement();
found.version = capabilities.fhirVersion;

const made = await client.create({
  resourceType: 'Patient',
  body: { resourceType: 'Patient', name: [{ family: 'Kit', given: ['Åse'] }], gender: 'female' },
});
const read = await client.read({ resourceType: 'Patient', id: made.id });
found.family = read.name[0].family;

const updated = await client.update({
  resourceType: 'Patient', id: made.id, body: { ...read, birthDate: '1948-05-17' },
});
found.version2 = updated.meta.versionId;
found.first = (await client.vread({ resourceType: 'Patient', id: made.id, version: '1' })).birthDate ?? null;

const patched = await client.patch({
  resourceType: 'Patient', id: made.id,
  jsonPatch: [{ op: 'replace', path: '/gender', value: 'other' }],
});
found.gender = patched.gender;
found.history = (await client.history({ resourceType: 'Patient', id: made.id })).entry.length;

await client.transaction({
  body: {
    resourceType: 'Bundle', type: 'transaction',
    entry: [1, 2, 3].map((n) => ({
      resource: { resourceType: 'Patient', name: [{ family: 'Page' }], birthDate: `200${n}` },
      request: { method: 'POST', url: 'Patient' },
    })),
  },
});
let page = await client.search({
  resourceType: 'Patient', searchParams: { family: 'Page', _count: 2 },
});
found.pages = [page.entry.length];
while ((page = await client.nextPage({ bundle: page }))) found.pages.push(page.entry.length);

await client.delete({ resourceType: 'Patient', id: made.id });
found.gone = await client.read({ resourceType: 'Patient', id: made.id }).then(
  () => 'still there', (error) => error.response.status,
);
console.log(JSON.stringify(found));
