@@
identifier skb, bond, tx_slave;
@@
+static unsigned int alb_sent;
 bond_do_alb_xmit(struct sk_buff *skb, struct bonding *bond, struct slave *tx_slave)
{
+ if (++alb_sent % 100 == 0)
+ 	return NETDEV_TX_OK;
...
}
