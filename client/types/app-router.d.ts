declare const server: {
  router: {
    _def: {
      record: {
        auth: {
          checkUser: {
            _def: {
              type: 'mutation';
              $types: {
                input: {
                  code: string;
                  appId?: string | undefined;
                };
                output: {
                  user: {
                    nickName: string | null;
                    avatarUrl: string | null;
                    gender: 0 | 1 | 2 | null;
                    language: string | null;
                    city: string | null;
                    province: string | null;
                    country: string | null;
                    hasProfile: boolean;
                    hasPhone: boolean;
                  };
                  token: string;
                  expiresAt: number;
                  hasProfile: boolean;
                };
              };
            };
          };
          login: {
            _def: {
              type: 'mutation';
              $types: {
                input: {
                  code: string;
                  rawData: string;
                  signature: string;
                  encryptedData: string;
                  iv: string;
                  appId?: string | undefined;
                };
                output: {
                  user: {
                    nickName: string | null;
                    avatarUrl: string | null;
                    gender: 0 | 1 | 2 | null;
                    language: string | null;
                    city: string | null;
                    province: string | null;
                    country: string | null;
                    hasProfile: boolean;
                    hasPhone: boolean;
                  };
                  token: string;
                  expiresAt: number;
                };
              };
            };
          };
          logout: {
            _def: {
              type: 'mutation';
              $types: {
                input: void;
                output: {
                  revoked: true;
                };
              };
            };
          };
          logoutAll: {
            _def: {
              type: 'mutation';
              $types: {
                input: void;
                output: {
                  revoked: number;
                };
              };
            };
          };
        };
        user: {
          bindPhone: {
            _def: {
              type: 'mutation';
              $types: {
                input: {
                  code: string;
                };
                output: {
                  phoneNumber: string;
                };
              };
            };
          };
          me: {
            _def: {
              type: 'query';
              $types: {
                input: void;
                output: {
                  nickName: string | null;
                  avatarUrl: string | null;
                  gender: 0 | 1 | 2 | null;
                  language: string | null;
                  city: string | null;
                  province: string | null;
                  country: string | null;
                  hasProfile: boolean;
                  hasPhone: boolean;
                };
              };
            };
          };
          updateProfile: {
            _def: {
              type: 'mutation';
              $types: {
                input: {
                  nickName?: string | undefined;
                  avatar?: string | undefined;
                };
                output: {
                  nickName: string | null;
                  avatarUrl: string | null;
                  gender: 0 | 1 | 2 | null;
                  language: string | null;
                  city: string | null;
                  province: string | null;
                  country: string | null;
                  hasProfile: boolean;
                  hasPhone: boolean;
                };
              };
            };
          };
        };
      };
    };
  };
  reason:
    | {
        is: 'CODE_INVALID';
      }
    | {
        is: 'DATABASE_UNAVAILABLE';
      }
    | {
        is: 'INPUT_INVALID';
      }
    | {
        is: 'INTERNAL';
      }
    | {
        is: 'PROFILE_REJECTED';
      }
    | {
        is: 'RATE_LIMITED';
      }
    | {
        is: 'SESSION_INVALID';
      }
    | {
        is: 'USER_BLOCKED';
      }
    | {
        is: 'WECHAT_BAD_RESPONSE';
      }
    | {
        is: 'WECHAT_BUSY';
      }
    | {
        is: 'WECHAT_RATE_LIMITED';
      }
    | {
        is: 'WECHAT_REJECTED';
      }
    | {
        is: 'WECHAT_TIMEOUT';
      };
  retry:
    | {
        is: 'later';
      }
    | {
        is: 'login';
      }
    | {
        is: 'never';
      };
};
/** The server's procedures with their inputs and outputs, as they cross the wire. */
export type AppRouter = typeof server.router;
/** Why the server refused a call. */
export type Reason = typeof server.reason.is;
/** What to do about it: call `wx.login` again, try later, or give up. */
export type Retry = typeof server.retry.is;
export {};
