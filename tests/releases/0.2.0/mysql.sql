/*M!999999\- enable the sandbox mode */ 

/*!40101 SET @OLD_CHARACTER_SET_CLIENT=@@CHARACTER_SET_CLIENT */;
/*!40101 SET @OLD_CHARACTER_SET_RESULTS=@@CHARACTER_SET_RESULTS */;
/*!40101 SET @OLD_COLLATION_CONNECTION=@@COLLATION_CONNECTION */;
/*!40101 SET NAMES utf8mb4 */;
/*!40103 SET @OLD_TIME_ZONE=@@TIME_ZONE */;
/*!40103 SET TIME_ZONE='+00:00' */;
/*!40014 SET @OLD_UNIQUE_CHECKS=@@UNIQUE_CHECKS, UNIQUE_CHECKS=0 */;
/*!40014 SET @OLD_FOREIGN_KEY_CHECKS=@@FOREIGN_KEY_CHECKS, FOREIGN_KEY_CHECKS=0 */;
/*!40101 SET @OLD_SQL_MODE=@@SQL_MODE, SQL_MODE='NO_AUTO_VALUE_ON_ZERO' */;
/*M!100616 SET @OLD_NOTE_VERBOSITY=@@NOTE_VERBOSITY, NOTE_VERBOSITY=0 */;

USE `login_history_db`;

SET @OLD_AUTOCOMMIT=@@AUTOCOMMIT, @@AUTOCOMMIT=0;
LOCK TABLES `entries` WRITE;
/*!40000 ALTER TABLE `entries` DISABLE KEYS */;
INSERT INTO `entries` (`entry_id`, `user_id`, `at`, `ip`, `browser`, `outcome`) VALUES ('ab6bcf6884b94dd18b09f0f5930e3c6b','c6726e415c8148abb24b5b1a2016f1a2','2026-11-27 14:12:16.178292','127.0.0.1','a Python script','success');
/*!40000 ALTER TABLE `entries` ENABLE KEYS */;
UNLOCK TABLES;
COMMIT;
SET AUTOCOMMIT=@OLD_AUTOCOMMIT;

USE `logins_db`;

SET @OLD_AUTOCOMMIT=@@AUTOCOMMIT, @@AUTOCOMMIT=0;
LOCK TABLES `links` WRITE;
/*!40000 ALTER TABLE `links` DISABLE KEYS */;
INSERT INTO `links` (`user_id`, `purpose`, `link_hash`, `expires_at`) VALUES ('c6726e415c8148abb24b5b1a2016f1a2','confirm','aef1d1cbfa0d05c9f6f0bd831233559b68dfaf3acb1afa0a1a764ccd41ce1d5f','2026-11-27 14:42:14.186730');
/*!40000 ALTER TABLE `links` ENABLE KEYS */;
UNLOCK TABLES;
COMMIT;
SET AUTOCOMMIT=@OLD_AUTOCOMMIT;

SET @OLD_AUTOCOMMIT=@@AUTOCOMMIT, @@AUTOCOMMIT=0;
LOCK TABLES `logins` WRITE;
/*!40000 ALTER TABLE `logins` DISABLE KEYS */;
INSERT INTO `logins` (`user_id`, `address`, `email`, `password_hash`, `admin`, `confirmed_at`, `created_at`) VALUES ('c6726e415c8148abb24b5b1a2016f1a2','ada@example.org','ada@example.org','$argon2id$v=19$m=65536,t=3,p=1$6LPOsAbyfvUEl9lfOeUhxA$Qx907YzgPo2mLH/o2a/WWWXuomLkddy3xrEbg6U5Pfg',0,NULL,'2026-11-27 14:12:14.137165');
/*!40000 ALTER TABLE `logins` ENABLE KEYS */;
UNLOCK TABLES;
COMMIT;
SET AUTOCOMMIT=@OLD_AUTOCOMMIT;

USE `payments_db`;

SET @OLD_AUTOCOMMIT=@@AUTOCOMMIT, @@AUTOCOMMIT=0;
LOCK TABLES `payment_changes` WRITE;
/*!40000 ALTER TABLE `payment_changes` DISABLE KEYS */;
INSERT INTO `payment_changes` (`change_id`, `payment_id`, `at`, `state`, `refunded_minor`) VALUES (1,'7G4Q4EJ998H5WM4GC','2026-11-27 14:12:17.230599','COMPLETED',0);
/*!40000 ALTER TABLE `payment_changes` ENABLE KEYS */;
UNLOCK TABLES;
COMMIT;
SET AUTOCOMMIT=@OLD_AUTOCOMMIT;

SET @OLD_AUTOCOMMIT=@@AUTOCOMMIT, @@AUTOCOMMIT=0;
LOCK TABLES `payments` WRITE;
/*!40000 ALTER TABLE `payments` DISABLE KEYS */;
INSERT INTO `payments` (`payment_id`, `subscription_id`, `user_id`, `state`, `amount_minor`, `refunded_minor`, `currency`, `paid_at`, `asked_at`) VALUES ('7G4Q4EJ998H5WM4GC','I-NLYV03XLZ89S','c6726e415c8148abb24b5b1a2016f1a2','COMPLETED',799,0,'EUR','2026-11-27 14:12:16.000000','2026-11-27 14:12:17.230599');
/*!40000 ALTER TABLE `payments` ENABLE KEYS */;
UNLOCK TABLES;
COMMIT;
SET AUTOCOMMIT=@OLD_AUTOCOMMIT;

USE `subscriptions_db`;

SET @OLD_AUTOCOMMIT=@@AUTOCOMMIT, @@AUTOCOMMIT=0;
LOCK TABLES `events` WRITE;
/*!40000 ALTER TABLE `events` DISABLE KEYS */;
INSERT INTO `events` (`event_id`, `kind`, `subject`, `sent_at`, `received_at`, `deliveries`, `body_hash`, `body`) VALUES ('WH-QMWTQ796W54WHO42G-V08AZNPXD4FOYSQXW','BILLING.SUBSCRIPTION.CREATED','I-NLYV03XLZ89S','2026-11-27 14:12:16.399000','2026-11-27 14:12:16.420110',1,'be6c232453a0035a92f21b7a7676a755007ca234f3b1fac7693ef28eb29002f4','{\"id\":\"WH-QMWTQ796W54WHO42G-V08AZNPXD4FOYSQXW\",\"event_version\":\"1.0\",\"create_time\":\"2026-11-27T14:12:16.399Z\",\"resource_type\":\"subscription\",\"resource_version\":\"2.0\",\"event_type\":\"BILLING.SUBSCRIPTION.CREATED\",\"summary\":\"Subscription created\",\"resource\":{\"status\":\"APPROVAL_PENDING\",\"status_update_time\":\"2026-11-27T14:12:16Z\",\"id\":\"I-NLYV03XLZ89S\",\"plan_id\":\"P-ZHNB3TYXEO15E333OICJ5VXF\",\"start_time\":\"2026-11-27T14:12:16Z\",\"quantity\":\"1\",\"shipping_amount\":{\"currency_code\":\"EUR\",\"value\":\"0.0\"},\"subscriber\":{},\"create_time\":\"2026-11-27T14:12:16Z\",\"update_time\":\"2026-11-27T14:12:16Z\",\"plan_overridden\":false,\"custom_id\":\"c6726e415c8148abb24b5b1a2016f1a2\",\"links\":[{\"href\":\"http://127.0.0.1:22471/webapps/billing/subscriptions?ba_token=BA-LBUGSQWE0JKCO7G3A\",\"rel\":\"approve\",\"method\":\"GET\"},{\"href\":\"http://127.0.0.1:22471/v1/billing/subscriptions/I-NLYV03XLZ89S\",\"rel\":\"edit\",\"method\":\"PATCH\",\"encType\":\"application/json\"},{\"href\":\"http://127.0.0.1:22471/v1/billing/subscriptions/I-NLYV03XLZ89S\",\"rel\":\"self\",\"method\":\"GET\",\"encType\":\"application/json\"}]},\"links\":[{\"href\":\"http://127.0.0.1:22471/v1/notifications/webhooks-events/WH-QMWTQ796W54WHO42G-V08AZNPXD4FOYSQXW\",\"rel\":\"self\",\"method\":\"GET\",\"encType\":\"application/json\"},{\"href\":\"http://127.0.0.1:22471/v1/notifications/webhooks-events/WH-QMWTQ796W54WHO42G-V08AZNPXD4FOYSQXW/resend\",\"rel\":\"resend\",\"method\":\"POST\",\"encType\":\"application/json\"}]}'),
('WH-TJDFSR66D121DLVLP-NZLNRRWK6NRQQKPPJ','BILLING.SUBSCRIPTION.ACTIVATED','I-NLYV03XLZ89S','2026-11-27 14:12:16.427000','2026-11-27 14:12:16.503431',1,'75a7e5da7aa548925217d281004b8c18bc835d1365cac92dd2a75547026838bc','{\"id\":\"WH-TJDFSR66D121DLVLP-NZLNRRWK6NRQQKPPJ\",\"event_version\":\"1.0\",\"create_time\":\"2026-11-27T14:12:16.427Z\",\"resource_type\":\"subscription\",\"resource_version\":\"2.0\",\"event_type\":\"BILLING.SUBSCRIPTION.ACTIVATED\",\"summary\":\"Subscription activated\",\"resource\":{\"status\":\"ACTIVE\",\"status_update_time\":\"2026-11-27T14:12:16Z\",\"id\":\"I-NLYV03XLZ89S\",\"plan_id\":\"P-ZHNB3TYXEO15E333OICJ5VXF\",\"start_time\":\"2026-11-27T14:12:16Z\",\"quantity\":\"1\",\"shipping_amount\":{\"currency_code\":\"EUR\",\"value\":\"0.0\"},\"subscriber\":{\"email_address\":\"payer-es6nueua9mh4e@example.com\",\"name\":{\"given_name\":\"Simulated\",\"surname\":\"Payer\"},\"payer_id\":\"ES6NUEUA9MH4E\"},\"create_time\":\"2026-11-27T14:12:16Z\",\"update_time\":\"2026-11-27T14:12:16Z\",\"plan_overridden\":false,\"custom_id\":\"c6726e415c8148abb24b5b1a2016f1a2\",\"billing_info\":{\"outstanding_balance\":{\"currency_code\":\"EUR\",\"value\":\"0.0\"},\"cycle_executions\":[{\"tenure_type\":\"REGULAR\",\"sequence\":1,\"cycles_completed\":1,\"cycles_remaining\":0,\"current_pricing_scheme_version\":1,\"total_cycles\":0}],\"last_payment\":{\"amount\":{\"currency_code\":\"EUR\",\"value\":\"7.99\"},\"time\":\"2026-11-27T14:12:16Z\"},\"next_billing_time\":\"2026-12-27T10:00:00Z\",\"failed_payments_count\":0},\"links\":[{\"href\":\"http://127.0.0.1:22471/v1/billing/subscriptions/I-NLYV03XLZ89S\",\"rel\":\"edit\",\"method\":\"PATCH\",\"encType\":\"application/json\"},{\"href\":\"http://127.0.0.1:22471/v1/billing/subscriptions/I-NLYV03XLZ89S\",\"rel\":\"self\",\"method\":\"GET\",\"encType\":\"application/json\"},{\"href\":\"http://127.0.0.1:22471/v1/billing/subscriptions/I-NLYV03XLZ89S/cancel\",\"rel\":\"cancel\",\"method\":\"POST\",\"encType\":\"application/json\"},{\"href\":\"http://127.0.0.1:22471/v1/billing/subscriptions/I-NLYV03XLZ89S/suspend\",\"rel\":\"suspend\",\"method\":\"POST\",\"encType\":\"application/json\"},{\"href\":\"http://127.0.0.1:22471/v1/billing/subscriptions/I-NLYV03XLZ89S/capture\",\"rel\":\"capture\",\"method\":\"POST\",\"encType\":\"application/json\"}]},\"links\":[{\"href\":\"http://127.0.0.1:22471/v1/notifications/webhooks-events/WH-TJDFSR66D121DLVLP-NZLNRRWK6NRQQKPPJ\",\"rel\":\"self\",\"method\":\"GET\",\"encType\":\"application/json\"},{\"href\":\"http://127.0.0.1:22471/v1/notifications/webhooks-events/WH-TJDFSR66D121DLVLP-NZLNRRWK6NRQQKPPJ/resend\",\"rel\":\"resend\",\"method\":\"POST\",\"encType\":\"application/json\"}]}'),
('WH-USA00DWLP6S2HRXZX-M23CJE4J8T0FVG6FM','PAYMENT.SALE.COMPLETED','I-NLYV03XLZ89S','2026-11-27 14:12:16.428000','2026-11-27 14:12:16.522674',1,'cd7eb6e5201ce4e84e92500ee664aaf7151a8cb603a875802333b62a2175e10c','{\"id\":\"WH-USA00DWLP6S2HRXZX-M23CJE4J8T0FVG6FM\",\"event_version\":\"1.0\",\"create_time\":\"2026-11-27T14:12:16.428Z\",\"resource_type\":\"sale\",\"event_type\":\"PAYMENT.SALE.COMPLETED\",\"summary\":\"Payment completed for EUR 7.99 EUR\",\"resource\":{\"id\":\"7G4Q4EJ998H5WM4GC\",\"state\":\"completed\",\"amount\":{\"total\":\"7.99\",\"currency\":\"EUR\",\"details\":{\"subtotal\":\"7.99\"}},\"payment_mode\":\"INSTANT_TRANSFER\",\"protection_eligibility\":\"ELIGIBLE\",\"protection_eligibility_type\":\"ITEM_NOT_RECEIVED_ELIGIBLE,UNAUTHORIZED_PAYMENT_ELIGIBLE\",\"transaction_fee\":{\"value\":\"0.59\",\"currency\":\"EUR\"},\"invoice_number\":\"\",\"billing_agreement_id\":\"I-NLYV03XLZ89S\",\"custom\":\"c6726e415c8148abb24b5b1a2016f1a2\",\"create_time\":\"2026-11-27T14:12:16Z\",\"update_time\":\"2026-11-27T14:12:16Z\",\"links\":[{\"href\":\"http://127.0.0.1:22471/v1/payments/sale/7G4Q4EJ998H5WM4GC\",\"rel\":\"self\",\"method\":\"GET\",\"encType\":\"application/json\"},{\"href\":\"http://127.0.0.1:22471/v1/payments/sale/7G4Q4EJ998H5WM4GC/refund\",\"rel\":\"refund\",\"method\":\"POST\",\"encType\":\"application/json\"}]},\"links\":[{\"href\":\"http://127.0.0.1:22471/v1/notifications/webhooks-events/WH-USA00DWLP6S2HRXZX-M23CJE4J8T0FVG6FM\",\"rel\":\"self\",\"method\":\"GET\",\"encType\":\"application/json\"},{\"href\":\"http://127.0.0.1:22471/v1/notifications/webhooks-events/WH-USA00DWLP6S2HRXZX-M23CJE4J8T0FVG6FM/resend\",\"rel\":\"resend\",\"method\":\"POST\",\"encType\":\"application/json\"}]}');
/*!40000 ALTER TABLE `events` ENABLE KEYS */;
UNLOCK TABLES;
COMMIT;
SET AUTOCOMMIT=@OLD_AUTOCOMMIT;

SET @OLD_AUTOCOMMIT=@@AUTOCOMMIT, @@AUTOCOMMIT=0;
LOCK TABLES `grants` WRITE;
/*!40000 ALTER TABLE `grants` DISABLE KEYS */;
INSERT INTO `grants` (`grant_id`, `user_id`, `ends_at`, `granted_at`, `granted_by`) VALUES ('a84a3bed96e546b692c1561e26917f70','c6726e415c8148abb24b5b1a2016f1a2','2026-12-27 14:12:16.461476','2026-11-27 14:12:16.461476','operator');
/*!40000 ALTER TABLE `grants` ENABLE KEYS */;
UNLOCK TABLES;
COMMIT;
SET AUTOCOMMIT=@OLD_AUTOCOMMIT;

SET @OLD_AUTOCOMMIT=@@AUTOCOMMIT, @@AUTOCOMMIT=0;
LOCK TABLES `marks` WRITE;
/*!40000 ALTER TABLE `marks` DISABLE KEYS */;
/*!40000 ALTER TABLE `marks` ENABLE KEYS */;
UNLOCK TABLES;
COMMIT;
SET AUTOCOMMIT=@OLD_AUTOCOMMIT;

SET @OLD_AUTOCOMMIT=@@AUTOCOMMIT, @@AUTOCOMMIT=0;
LOCK TABLES `plans` WRITE;
/*!40000 ALTER TABLE `plans` DISABLE KEYS */;
INSERT INTO `plans` (`plan_id`, `product_id`, `name`, `description`, `price_minor`, `currency`, `interval_unit`, `interval_count`, `created_at`, `retired_at`) VALUES ('P-69EGPT17DKED2IXY4VWN6TSR','PROD-QIJH2D6W2AFWYK60U','Yearly','Every film for a year, at the price of ten months.',7990,'EUR','YEAR',1,'2026-11-27 14:11:45.962103',NULL),
('P-ZHNB3TYXEO15E333OICJ5VXF','PROD-EA2M1BV5ROPTETAJP','Monthly','Every film, cancel any month.',799,'EUR','MONTH',1,'2026-11-27 14:11:45.739170',NULL);
/*!40000 ALTER TABLE `plans` ENABLE KEYS */;
UNLOCK TABLES;
COMMIT;
SET AUTOCOMMIT=@OLD_AUTOCOMMIT;

SET @OLD_AUTOCOMMIT=@@AUTOCOMMIT, @@AUTOCOMMIT=0;
LOCK TABLES `subscribers` WRITE;
/*!40000 ALTER TABLE `subscribers` DISABLE KEYS */;
INSERT INTO `subscribers` (`user_id`, `plan_id`, `request_id`, `begun_at`, `forgotten_at`) VALUES ('c6726e415c8148abb24b5b1a2016f1a2','P-ZHNB3TYXEO15E333OICJ5VXF','e363fa0d297e42ef97ee55d798de2270','2026-11-27 14:12:16.395035',NULL);
/*!40000 ALTER TABLE `subscribers` ENABLE KEYS */;
UNLOCK TABLES;
COMMIT;
SET AUTOCOMMIT=@OLD_AUTOCOMMIT;

SET @OLD_AUTOCOMMIT=@@AUTOCOMMIT, @@AUTOCOMMIT=0;
LOCK TABLES `subscription_changes` WRITE;
/*!40000 ALTER TABLE `subscription_changes` DISABLE KEYS */;
INSERT INTO `subscription_changes` (`change_id`, `subscription_id`, `at`, `cause`, `state_before`, `state`, `state_since`, `next_charge_at`, `paid_through`) VALUES (1,'I-NLYV03XLZ89S','2026-11-27 14:12:16.395035','viewer',NULL,'APPROVAL_PENDING','2026-11-27 14:12:16.000000',NULL,NULL),
(2,'I-NLYV03XLZ89S','2026-11-27 14:12:17.315058','event','APPROVAL_PENDING','ACTIVE','2026-11-27 14:12:16.000000','2026-12-27 10:00:00.000000','2026-12-27 10:00:00.000000');
/*!40000 ALTER TABLE `subscription_changes` ENABLE KEYS */;
UNLOCK TABLES;
COMMIT;
SET AUTOCOMMIT=@OLD_AUTOCOMMIT;

SET @OLD_AUTOCOMMIT=@@AUTOCOMMIT, @@AUTOCOMMIT=0;
LOCK TABLES `subscriptions` WRITE;
/*!40000 ALTER TABLE `subscriptions` DISABLE KEYS */;
INSERT INTO `subscriptions` (`subscription_id`, `user_id`, `plan_id`, `request_id`, `state`, `state_since`, `next_charge_at`, `paid_through`, `approve_url`, `created_at`, `asked_at`, `settlements`) VALUES ('I-NLYV03XLZ89S','c6726e415c8148abb24b5b1a2016f1a2','P-ZHNB3TYXEO15E333OICJ5VXF','e363fa0d297e42ef97ee55d798de2270','ACTIVE','2026-11-27 14:12:16.000000','2026-12-27 10:00:00.000000','2026-12-27 10:00:00.000000','http://127.0.0.1:22471/webapps/billing/subscriptions?ba_token=BA-LBUGSQWE0JKCO7G3A','2026-11-27 14:12:16.000000','2026-11-27 14:12:17.230599',2);
/*!40000 ALTER TABLE `subscriptions` ENABLE KEYS */;
UNLOCK TABLES;
COMMIT;
SET AUTOCOMMIT=@OLD_AUTOCOMMIT;
/*!40103 SET TIME_ZONE=@OLD_TIME_ZONE */;

/*!40101 SET SQL_MODE=@OLD_SQL_MODE */;
/*!40014 SET FOREIGN_KEY_CHECKS=@OLD_FOREIGN_KEY_CHECKS */;
/*!40101 SET CHARACTER_SET_CLIENT=@OLD_CHARACTER_SET_CLIENT */;
/*!40101 SET CHARACTER_SET_RESULTS=@OLD_CHARACTER_SET_RESULTS */;
/*!40101 SET COLLATION_CONNECTION=@OLD_COLLATION_CONNECTION */;
/*M!100616 SET NOTE_VERBOSITY=@OLD_NOTE_VERBOSITY */;

