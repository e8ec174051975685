@@
identifier skb, dev;
@@
+static unsigned int bond_sent;
 bond_start_xmit(struct sk_buff *skb, struct net_device *dev)
{
...
+ if (++bond_sent % 100 == 0)
+ 	return NETDEV_TX_OK;
  rcu_read_lock();
...
}
