export default { pages: ['pages/index/index', 'pages/query/query'] };
