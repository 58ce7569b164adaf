// Immich's own SDK doing an administrator's work: settings, a notification, queues, an account.
// Arguments: base URL, e-mail, password. The variable CALOTYPE_TEST_SDK names the package to use.
// Prints one line of JSON.
const name = process.env.CALOTYPE_TEST_SDK;
const sdk = await import(`${process.env.CALOTYPE_TEST_CLIENTS}/node_modules/${name}/build/index.js`);
const [base, email, password] = process.argv.slice(2);

sdk.init({ baseUrl: `${base}/api`, apiKey: '' });
const login = await sdk.login({ loginCredentialDto: { email, password } });
sdk.defaults.headers = { Authorization: `Bearer ${login.accessToken}` };

const config = await sdk.getConfig();
config.trash.days = 12;
// 3.2 calls the argument otherwise.
const changed = await sdk.updateConfig({ systemConfigDto: config, adminConfigDto: config });
const server = await sdk.getServerConfig();
const userAdminCreateDto = { email: 'reader@example.com', name: 'Reader', password: 'a password' };
const reader = await sdk.createUserAdmin({ userAdminCreateDto });
const notificationCreateDto = { title: 'Hello', userId: login.userId };
const told = await sdk.createNotification({ notificationCreateDto });
await sdk.updateNotifications({
  notificationUpdateAllDto: { ids: [told.id], readAt: '2026-01-01T00:00:00.000Z' },
});
const unread = await sdk.getNotifications({ unread: true });
const queues = await sdk.getQueues();
const paused = await sdk.updateQueue({ name: 'thumbnailGeneration', queueUpdateDto: { isPaused: true } });
const options = await sdk.getStorageTemplateOptions();
await sdk.deleteUserAdmin({ id: reader.id, userAdminDeleteDto: { force: true } });

console.log(
  JSON.stringify({
    days: changed.trash.days,
    told: server.trashDays,
    title: told.title,
    unread: unread.length,
    queues: queues.length,
    paused: paused.isPaused,
    presets: options.presetOptions.length,
  }),
);
