interface Owner {
  appId: string;
  openId: string;
}

// What a sealed value is bound to: moved to another column, app or user, it opens no more.

export function sessionKeyContext({ appId, openId }: Owner): readonly string[] {
  return ['session_key', appId, openId];
}

export function phoneNumberContext({ appId, openId }: Owner): readonly string[] {
  return ['phone_number', appId, openId];
}
