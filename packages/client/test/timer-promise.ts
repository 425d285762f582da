/**
 * A Promise as WeChat puts it in on iOS up to 15: its callbacks are timers, and it has nothing newer than `catch`. Text,
 * because it is run in the phone's realm, where it needs `setTimeout`.
 */
export const timerPromise = `
function TimerPromise(run) {
  var self = this;
  self.waiting = [];
  function settle(state) {
    return function (value) {
      if (self.state) return;
      self.state = state;
      self.value = value;
      self.waiting.splice(0).forEach(function (tell) { setTimeout(tell, 0); });
    };
  }
  var reject = settle('rejected');
  var decided = false;
  function resolve(value) {
    if (decided) return;
    decided = true;
    try {
      var then = value !== null && (typeof value === 'object' || typeof value === 'function') ? value.then : undefined;
    } catch (error) { return reject(error); }
    if (typeof then !== 'function') return settle('fulfilled')(value);
    var once = false;
    function first(next) { return function (answer) { if (!once) { once = true; next(answer); } }; }
    setTimeout(function () {
      try { then.call(value, first(function (answer) { decided = false; resolve(answer); }), first(reject)); }
      catch (error) { first(reject)(error); }
    }, 0);
  }
  try { run(resolve, function (error) { if (!decided) { decided = true; reject(error); } }); }
  catch (error) { if (!decided) { decided = true; reject(error); } }
}
TimerPromise.prototype.then = function (onValue, onError) {
  var self = this;
  return new TimerPromise(function (resolve, reject) {
    function tell() {
      var handler = self.state === 'fulfilled' ? onValue : onError;
      if (typeof handler !== 'function') return self.state === 'fulfilled' ? resolve(self.value) : reject(self.value);
      try { resolve(handler(self.value)); } catch (error) { reject(error); }
    }
    if (self.state) setTimeout(tell, 0);
    else self.waiting.push(tell);
  });
};
TimerPromise.prototype.catch = function (onError) { return this.then(undefined, onError); };
TimerPromise.resolve = function (value) {
  return value instanceof TimerPromise ? value : new TimerPromise(function (resolve) { resolve(value); });
};
TimerPromise.reject = function (error) { return new TimerPromise(function (_, reject) { reject(error); }); };
TimerPromise.all = function (promises) {
  return new TimerPromise(function (resolve, reject) {
    var values = [];
    var left = promises.length;
    if (left === 0) resolve(values);
    promises.forEach(function (promise, index) {
      TimerPromise.resolve(promise).then(function (value) {
        values[index] = value;
        if ((left -= 1) === 0) resolve(values);
      }, reject);
    });
  });
};
delete Promise.prototype.finally;
return TimerPromise;
`;
