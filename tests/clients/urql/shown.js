// What a component would be shown by a query or a subscription, one result after the other.

/** Collects the results of `source`; `until` gives the first that fits and was not given before. */
export function shown(source) {
  const results = [];
  const waiting = [];
  let place = 0;
  const look = () => {
    while (waiting.length > 0) {
      const found = results.findIndex((result, at) => at >= place && waiting[0].fits(result));
      if (found < 0) return;
      place = found + 1;
      const { resolve, timer } = waiting.shift();
      clearTimeout(timer);
      resolve(results[found]);
    }
  };
  const { unsubscribe } = source.subscribe((result) => {
    results.push(result);
    look();
  });
  return {
    results,
    stop: unsubscribe,
    until: (fits) =>
      new Promise((resolve, reject) => {
        const late = () => reject(new Error(`nothing fits in ${JSON.stringify(results, null, 1)}`));
        waiting.push({ fits, resolve, timer: setTimeout(late, 20_000) });
        look();
      }),
  };
}
