/** Where the backend is. On a real phone: https, and registered with WeChat as a request domain. */
export const baseUrl = 'http://127.0.0.1:8080';
