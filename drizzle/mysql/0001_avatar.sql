CREATE TABLE `gk_wx_avatar` (
	`hash` binary(32) NOT NULL,
	`bytes` mediumblob NOT NULL,
	`created_at` bigint NOT NULL,
	CONSTRAINT `gk_wx_avatar_hash` PRIMARY KEY(`hash`)
);
