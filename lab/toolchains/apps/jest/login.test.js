const { createClient, failureOf } = require('@guoke/client');

/** A `wx` over Node's fetch, with the code that the experiment has taken. */
function createWx() {
  const storage = new Map();
  return {
    login: ({ success }) => success({ code: process.env.LOGIN_CODE }),
    checkSession: ({ success }) => success(),
    request({ url, method, data, header, success, fail }) {
      fetch(url, { method, headers: header, body: data }).then(
        async (answer) => success({ statusCode: answer.status, data: await answer.text(), header: {} }),
        (error) => fail({ errMsg: String(error) }),
      );
    },
    getStorageSync: (key) => storage.get(key) ?? '',
    setStorageSync: (key, value) => storage.set(key, value),
    removeStorageSync: (key) => storage.delete(key),
  };
}

test('a page logs in', async () => {
  const { api, session } = createClient({ baseUrl: process.env.BACKEND_URL, wx: createWx() });
  await session.ensure();
  expect(await api.user.me.query()).toMatchObject({ nickName: null });
  expect(failureOf(await api.user.updateProfile.mutate({ nickName: '' }).catch((error) => error))).toMatchObject({
    reason: 'INPUT_INVALID',
  });
});
