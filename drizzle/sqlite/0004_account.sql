-- By hand: drizzle-kit would copy the table for the check, and read a column that the old one does not have.
ALTER TABLE `gk_wx_user` ADD `phone_fingerprint` text CONSTRAINT "phone_fingerprint_width" CHECK(length("phone_fingerprint") <= 64);--> statement-breakpoint
ALTER TABLE `gk_wx_user` ADD `blocked_at` integer;--> statement-breakpoint
CREATE INDEX `gk_wx_user_phone_fingerprint` ON `gk_wx_user` (`phone_fingerprint`);
