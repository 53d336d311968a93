// How a frontend sets Relay up against Stoa. The tests beside this folder show what comes of it.

const {
  Environment,
  Network,
  RecordSource,
  Store,
  commitMutation,
  createOperationDescriptor,
  fetchQuery,
  getPaginationMetadata,
  getPaginationVariables,
  getRefetchMetadata,
  getRequest,
  getSelector,
} = require('relay-runtime');

const URL = process.env.STOA_URL ?? 'http://127.0.0.1:8000/graphql';

const TOKENS = {
  mei: process.env.STOA_TOKEN_MEI,
  omar: process.env.STOA_TOKEN_OMAR,
  ana: process.env.STOA_TOKEN_ANA,
};

/** Relay's environment for whoever holds the token; without one, for nobody. */
function environment({ token, onRedactions = () => {} } = {}) {
  const send = async ({ name, text }, variables) => {
    const answer = await fetch(URL, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        accept: 'application/graphql-response+json, application/json;q=0.9',
        'graphql-client-name': 'stoa-tests-relay',
        ...(token && { authorization: `Bearer ${token}` }),
      },
      // Where only documents are taken that were added to the server (`stoa documents add documents.json`), the
      // artifact's `id` goes as `documentId`, in place of `query`.
      body: JSON.stringify({ query: text, operationName: name, variables }),
    });
    const response = await answer.json();
    // Relay keeps no extensions: what is to be told of fields that may not be seen is told here.
    if (response.extensions?.redactions) onRedactions(response.extensions.redactions, name);
    return response;
  };
  // Global ids and `__typename` are what the store needs: there is nothing else to configure.
  return new Environment({ network: Network.create(send), store: new Store(new RecordSource()) });
}

/** The artifact that the compiler made of the document with this name. */
const artifact = (name) => require(`./__generated__/${name}.graphql.js`);

/** Asks for it, as `useLazyLoadQuery` does, and keeps it from the store's garbage collector. */
async function query(relay, name, variables = {}) {
  const descriptor = createOperationDescriptor(getRequest(artifact(name)), variables);
  relay.retain(descriptor);
  await fetchQuery(relay, artifact(name), variables).toPromise();
  return relay.lookup(descriptor.fragment).data;
}

/** What a fragment shows, as `useFragment` does. */
const read = (relay, name, reference) => relay.lookup(getSelector(artifact(name), reference)).data;

/** Asks for the next page of a fragment's list, as `loadNext` of `usePaginationFragment` does. */
async function loadNext(relay, name, reference, count) {
  const fragment = artifact(name);
  const { paginationRequest, paginationMetadata, connectionPathInFragmentData } = getPaginationMetadata(fragment, name);
  const { identifierInfo } = getRefetchMetadata(fragment, name);
  const selector = getSelector(fragment, reference);
  const { data } = relay.lookup(selector);
  const connection = connectionPathInFragmentData.reduce((value, key) => value[key], data);
  const { owner, variables } = selector;
  const next = getPaginationVariables(
    'forward',
    count,
    connection.pageInfo.endCursor,
    { ...owner.variables, ...variables },
    {},
    paginationMetadata,
  );
  if (identifierInfo) next[identifierInfo.identifierQueryVariableName] = data[identifierInfo.identifierField];
  await fetchQuery(relay, paginationRequest, next).toPromise();
}

/** Commits a mutation. */
const mutate = (relay, name, variables, more = {}) =>
  new Promise((resolve, reject) => {
    const onCompleted = (response, errors) => (errors ? reject(new Error(errors[0].message)) : resolve(response));
    commitMutation(relay, { mutation: artifact(name), variables, onCompleted, onError: reject, ...more });
  });

module.exports = { TOKENS, artifact, environment, loadNext, mutate, query, read };
